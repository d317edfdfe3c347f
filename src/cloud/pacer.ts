// Paces calls of one operation well below the provider's limit of 30 per second and account, which
// other tools of the same account share.
import { ServiceError } from '../errors.ts'
import type { Clock } from '../ports.ts'

/** Ten calls per second. */
const INTERVAL_MS = 100
/** Throttled again and again, at least one call in this time. */
const MAX_INTERVAL_MS = 3_200
/** So many calls in a row that were not throttled double the pace again. */
const CALLS_TO_RECOVER = 20

export type Pacer = {
  /** Resolves when the next call may be made, in the order of asking; rejects when aborted. */
  turn(signal: AbortSignal): Promise<void>
  /** Says how a call went: the pace is halved on throttling. */
  tell(throttled: boolean): void
}

export function createPacer(clock: Clock): Pacer {
  let intervalMs = INTERVAL_MS
  let freeAt = 0
  let smooth = 0
  return {
    async turn(signal) {
      const now = clock.now()
      const mine = Math.max(now, freeAt)
      freeAt = mine + intervalMs
      if (mine > now) await clock.sleep(mine - now, signal)
      if (signal.aborted) throw new ServiceError('stopped before the call', { code: 'aborted' })
    },
    tell(throttled) {
      smooth = throttled ? 0 : smooth + 1
      if (throttled) intervalMs = Math.min(MAX_INTERVAL_MS, intervalMs * 2)
      if (smooth < CALLS_TO_RECOVER) return
      smooth = 0
      intervalMs = Math.max(INTERVAL_MS, intervalMs / 2)
    },
  }
}
