// From the settings to sinks: which kind of sink a URL asks for. A new kind is one file, and one
// line here.
import type { Sink } from '../ports/sink.ts'
import { NATS } from './nats/sink.ts'
import { REDIS } from './redis/sink.ts'
import type { SinkDeps, SinkKind, SinkSetting } from './sink-kind.ts'
import { STDOUT } from './stdout.ts'
import { WEBHOOK } from './webhook.ts'

export type { SinkDeps, SinkSetting }

const KINDS: readonly (readonly [SinkKind, ...schemes: string[]])[] = [
  [STDOUT, 'stdout:'],
  [WEBHOOK, 'https:', 'http:'],
  [REDIS, 'redis:', 'rediss:'],
  [NATS, 'nats:', 'tls:'],
]

/** What is wrong with the URL of a sink, without repeating it; undefined where nothing is. */
export function sinkUrlProblem(url: string): string | undefined {
  const schemes = KINDS.flatMap(([, ...each]) => each).join(', ')
  return (
    kindOf(url)?.problem(url) ?? (kindOf(url) ? undefined : `must begin with one of ${schemes}`)
  )
}

export function createSinks(settings: readonly SinkSetting[], deps: SinkDeps): Sink[] {
  return settings.map((setting) => {
    const kind = kindOf(setting.url)
    if (kind !== undefined) return kind.create(setting, deps)
    throw new TypeError(`sink ${setting.name}: the settings let an unknown scheme through`)
  })
}

function kindOf(url: string): SinkKind | undefined {
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:/i.exec(url) ?? []
  return KINDS.find(([, ...schemes]) => schemes.includes(scheme.toLowerCase()))?.[0]
}
