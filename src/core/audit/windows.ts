// Which stretch of time the audit looks at next. Pure: `now` is passed in. Times are epoch ms.
import type { Range } from './ranges.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A callback may be under way for half a minute, a list may be late, and clocks differ. */
export const MARGIN_MS = 5 * 60_000
/** A window fits well below the day that one call may ask for, and its shots fit in memory. */
export const MAX_WINDOW_MS = HOUR_MS
/** Events are kept for a week by default: what is older could not be compared. */
export const MAX_LOOK_BACK_MS = 7 * DAY_MS
/** The provider lists pushes no further back. */
export const MAX_BACKFILL_MS = 30 * DAY_MS
/** From this distance to the present on, the audit is behind. */
export const BEHIND_MS = HOUR_MS
/** Shots of one window that are held in memory at most, about: 30 MB. */
const MAX_WINDOW_SHOTS = 100_000
/** The shortest interval of snapshots that the provider takes. */
const MIN_INTERVAL_MS = 5_000
/** However many streams there are: below it the list of pushes would cost more than the shots. */
const MIN_WINDOW_MS = 60_000

/** The next window, or null where nothing is old enough yet. */
export function nextWindow(auditedUntil: number, now: number, marginMs: number): Range | null {
  const from = Math.max(auditedUntil, now - MAX_LOOK_BACK_MS)
  const until = Math.min(from + MAX_WINDOW_MS, now - marginMs)
  return until > from ? { from, until } : null
}

/** What is too long ago to be looked at, or null. */
export function cutRange(auditedUntil: number, now: number): Range | null {
  const from = now - MAX_LOOK_BACK_MS
  return auditedUntil < from ? { from: auditedUntil, until: from } : null
}

/** The first part of a window whose shots can be held in memory, for so many streams. */
export function fitWindow({ from, until }: Range, streams: number): Range {
  return { from, until: Math.min(until, from + fittingMs(streams)) }
}

/** How far to look back from a window: less for more streams, which show as much in less time. */
export function fitLookBack(wantedMs: number, streams: number): number {
  return Math.min(wantedMs, Math.floor(fittingMs(streams) / 2))
}

function fittingMs(streams: number): number {
  const fitting = (MAX_WINDOW_SHOTS * MIN_INTERVAL_MS) / Math.max(1, streams)
  return Math.max(MIN_WINDOW_MS, Math.floor(fitting))
}

/** Whether the audit is an hour late, the margin and the pause between two runs aside. */
export function isBehind(
  auditedUntil: number,
  now: number,
  { marginMs, intervalMs }: { marginMs: number; intervalMs: number },
): boolean {
  return now - auditedUntil > BEHIND_MS + marginMs + intervalMs
}
