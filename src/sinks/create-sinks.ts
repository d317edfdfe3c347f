// From the settings to sinks: which kind of sink a URL asks for. What a new kind
// takes is in docs/development.md.
import type { Sink } from '../ports/sink.ts'
import { NATS } from './nats/sink.ts'
import { REDIS } from './redis/sink.ts'
import type { SinkDeps, SinkKind, SinkSetting } from './sink-kind.ts'
import { STDOUT } from './stdout.ts'
import { WEBHOOK } from './webhook.ts'

export type { SinkDeps, SinkSetting }

/** Hosts of URLs that lead to this very machine. */
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

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

/** Whether what a sink of this URL is sent is signed. */
export function isSignedSink(url: string): boolean {
  return kindOf(url)?.isSigned === true
}

/** Whether a URL is without TLS, and leads away from this machine. */
export function isPlainAndRemote(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !LOOPBACK.test(hostname)
}

/** What others can read on the way to a sink, in words; undefined for nothing, and this machine. */
export function readableOnTheWay(url: string): string | undefined {
  return LOOPBACK.test(new URL(url).hostname) ? undefined : kindOf(url)?.readable?.(url)
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
