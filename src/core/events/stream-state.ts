// What is known of a stream from its shots: how often one comes, and whether one is overdue.

export const STREAM_STATES = ['live', 'late', 'silent'] as const
export type StreamState = (typeof STREAM_STATES)[number]

/** Overdue by intervals, but never sooner than this, in ms: callbacks are retried for half a minute. */
export const LATE = { intervals: 3, leastMs: 30_000 } as const
export const SILENT = { intervals: 10, leastMs: 300_000 } as const

/** Gaps that the interval is the median of: few enough to follow a new template soon. */
const MAX_GAPS = 8
/** From this many on; one gap alone may be a pause. */
const MIN_GAPS = 2
/** Two callbacks for one shot, in both modes, are no interval. In ms. */
const MIN_GAP_MS = 250

/** The state of a stream that was last heard of `ageMs` ago; an unknown interval makes none late. */
export function streamState(ageMs: number, intervalMs: number | null): StreamState {
  const silentMs = Math.max(SILENT.leastMs, SILENT.intervals * (intervalMs ?? 0))
  if (ageMs >= silentMs) return 'silent'
  if (intervalMs === null) return 'live'
  return ageMs >= Math.max(LATE.leastMs, LATE.intervals * intervalMs) ? 'late' : 'live'
}

/** The gaps after one more shot, `gapMs` after the last one. */
export function withGap(gaps: readonly number[], gapMs: number): readonly number[] {
  if (gapMs < MIN_GAP_MS) return gaps
  const kept = gaps.slice(gaps.length < MAX_GAPS ? 0 : 1)
  kept.push(gapMs)
  return kept
}

/** The observed interval, in ms, or null while it can't be told. A median: a lost shot or a pause changes nothing. */
export function intervalOf(gaps: readonly number[]): number | null {
  if (gaps.length < MIN_GAPS) return null
  const sorted = gaps.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] as number
}
