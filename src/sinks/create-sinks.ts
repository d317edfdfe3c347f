// From the settings to sinks: which kind of sink a URL asks for. A new kind is one file, and one
// line here.
import type { Sink } from '../ports.ts'
import { createStdoutSink, type Output } from './stdout.ts'
import { createWebhookSink } from './webhook.ts'

export type SinkSetting = { readonly name: string; readonly url: string }

export type SinkWorld = {
  readonly stdout: Output
  readonly webhookSecrets: readonly string[]
  /** Epoch ms. */
  readonly now: () => number
}

type Create = (setting: SinkSetting, world: SinkWorld) => Sink

const webhook: Create = (setting, { webhookSecrets: secrets, now }) =>
  createWebhookSink({ ...setting, secrets, now })

const KINDS: Readonly<Record<string, Create>> = {
  'stdout:': ({ name }, { stdout }) => createStdoutSink(name, stdout),
  'https:': webhook,
  'http:': webhook,
}

export function createSinks(settings: readonly SinkSetting[], world: SinkWorld): Sink[] {
  return settings.map((setting) => {
    const { protocol } = new URL(setting.url)
    const create = KINDS[protocol]
    if (create !== undefined) return create(setting, world)
    throw new TypeError(`no sink for ${protocol}: the settings let an unknown scheme through`)
  })
}
