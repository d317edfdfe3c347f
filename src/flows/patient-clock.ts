// The wall clock for what can't be taken back: a clock that is wrong for a moment must not make all
// events old.
import type { Clock } from '../ports/clock.ts'

/** A jump that is smaller is an ordinary correction, and is followed at once. */
const AHEAD_MS = 60_000
/** A jump that has lasted for this long is taken as right. */
const TRUSTED_AFTER_MS = 3_600_000

/** The clock with a wall time that follows no slip. */
export function patientClock(clock: Clock): Clock {
  return { ...clock, now: patientTime(clock) }
}

/** Tells the time in whole epoch ms; a jump ahead counts only when it has stood for an hour. */
export function patientTime(clock: Clock): () => number {
  const offsetNow = () => clock.now() - clock.elapsed()
  let offset = offsetNow()
  let aheadSince: number | null = null
  return () => {
    const isAhead = offsetNow() > offset + AHEAD_MS
    aheadSince = isAhead ? (aheadSince ?? clock.elapsed()) : null
    const hasStood = aheadSince !== null && clock.elapsed() - aheadSince >= TRUSTED_AFTER_MS
    if (!isAhead || hasStood) offset = offsetNow()
    return Math.round(offset + clock.elapsed())
  }
}
