// From the settings to sinks: which kind of sink a URL asks for. A new kind is one file, and one
// line here.
import type { Sink } from '../ports.ts'
import { createStdoutSink, type Output } from './stdout.ts'

export type SinkSetting = { readonly name: string; readonly url: string }

export function createSinks(settings: readonly SinkSetting[], world: { stdout: Output }): Sink[] {
  return settings.map(({ name, url }) => {
    const { protocol } = new URL(url)
    switch (protocol) {
      case 'stdout:':
        return createStdoutSink(name, world.stdout)
      default:
        throw new TypeError(`no sink for ${protocol}: the settings let an unknown scheme through`)
    }
  })
}
