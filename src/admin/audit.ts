// Compares what the provider lists with what the store has, for `audit`: it changes nothing.
import { type Overrides, withDefaults } from '../app/overrides.ts'
import { readStore } from '../app/stores.ts'
import { openApi } from '../app/wiring.ts'
import type { Config } from '../config/config.ts'
import type { Range } from '../core/audit/ranges.ts'
import { streamKey } from '../core/audit/stream-names.ts'
import { fitWindow, MAX_WINDOW_MS } from '../core/audit/windows.ts'
import { compare } from '../flows/audit/compare.ts'
import { createIntervals } from '../flows/audit/intervals.ts'

/** Streams of a window up to which each is asked for; above, those without a hole count as listed. */
const ASK_ALL_STREAMS = 100

export type AuditedStream = {
  readonly domain: string
  readonly app: string
  readonly stream: string
  readonly listed: number
  readonly kept: number
  readonly missed: number
}

export type AuditResult = {
  /** ISO 8601. */
  readonly from: string
  readonly until: string
  readonly listed: number
  readonly kept: number
  readonly missed: number
  readonly streams: readonly AuditedStream[]
  /** What could not be compared: half of the bodies or more are not understood. */
  readonly notCompared: readonly {
    readonly domain: string
    readonly from: string
    readonly until: string
  }[]
}

/** Compares `range`, window by window; null where there is no store yet. */
export function auditStore(
  config: Config,
  overrides: Overrides,
  wanted: { domains: readonly string[]; range: Range; signal: AbortSignal },
): Promise<AuditResult | null> {
  const { domains, range, signal } = wanted
  return readStore(config, withDefaults(overrides), async (store) => {
    const { lists, close } = openApi(config, overrides)
    const streams = new Map<string, AuditedStream>()
    const notCompared: { domain: string; from: string; until: string }[] = []
    try {
      for (const domain of domains) {
        const comparer = { lists, store, intervals: createIntervals() }
        for (let from = range.from; from < range.until; ) {
          const most = { from, until: Math.min(from + MAX_WINDOW_MS, range.until) }
          const pushes = await lists.pushes(domain, most, signal)
          const count = new Set(pushes.map(streamKey)).size
          const window = fitWindow(most, count)
          const askAll = count <= ASK_ALL_STREAMS
          const found = await compare(comparer, { domain, range: window, pushes, askAll }, signal)
          if (found.kind === 'cannot_compare') notCompared.push({ domain, ...shown(window) })
          else for (const each of found.streams) add(streams, domain, each)
          from = window.until
        }
      }
    } finally {
      close()
    }
    const all = [...streams.values()].toSorted(byName)
    const sum = (of: 'listed' | 'kept' | 'missed') => all.reduce((n, each) => n + each[of], 0)
    return {
      ...shown(range),
      ...{ listed: sum('listed'), kept: sum('kept'), missed: sum('missed') },
      streams: all,
      notCompared,
    }
  })
}

type Compared = Extract<Awaited<ReturnType<typeof compare>>, { kind: 'compared' }>

function add(
  streams: Map<string, AuditedStream>,
  domain: string,
  { name, kept, listed, missing }: Compared['streams'][number],
): void {
  const key = `${domain} ${streamKey(name)}`
  const before = streams.get(key) ?? { domain, ...name, listed: 0, kept: 0, missed: 0 }
  streams.set(key, {
    ...before,
    listed: before.listed + (listed?.length ?? kept),
    kept: before.kept + kept,
    missed: before.missed + missing.length,
  })
}

function shown({ from, until }: Range) {
  return { from: new Date(from).toISOString(), until: new Date(until).toISOString() }
}

function byName(a: AuditedStream, b: AuditedStream): number {
  return (
    a.domain.localeCompare(b.domain, 'en') ||
    a.app.localeCompare(b.app, 'en') ||
    a.stream.localeCompare(b.stream, 'en')
  )
}
