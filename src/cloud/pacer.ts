// Paces calls of one operation well below the provider's limit of 30 per second and account, which
// other tools of the same account share.
import { ServiceError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { IsStill } from '../ports/live-api.ts'

/** Ten calls per second, where an operation has no pace of its own. */
const INTERVAL_MS = 100
/** Throttled again and again, at least one call in this time. */
const MAX_INTERVAL_MS = 3_200
/** After so long without throttling the pace is doubled again. */
const RECOVER_MS = 5_000
/** After a longer wait somebody else may have changed what the call is to change. */
const LONG_WAIT_MS = 3_000

export type Pacer = {
  /**
   * Resolves when the next call may be made, in the order of asking, with the moment to `noteAnswer`;
   * rejects when aborted, and with `outdated` where it came late and `isStill` says no.
   */
  turn(signal: AbortSignal, isStill?: IsStill): Promise<number>
  /** Notes how the call of a turn went: the pace is halved on throttling. */
  noteAnswer(throttled: boolean, turn: number): void
}

/** `fastestMs`: the pause between two calls that is kept at least. */
export function createPacer(clock: Clock, fastestMs = INTERVAL_MS): Pacer {
  let intervalMs = fastestMs
  let freeAt = 0
  let changedAt = 0
  let last: Promise<unknown> = Promise.resolve()

  async function wait(signal: AbortSignal): Promise<number> {
    // The pace may have changed while this turn waited for its place.
    while (freeAt > clock.elapsed() && !signal.aborted) {
      await clock.sleep(freeAt - clock.elapsed(), signal)
    }
    if (signal.aborted) throw new ServiceError('stopped before the call', { code: 'aborted' })
    freeAt = clock.elapsed() + intervalMs
    return clock.elapsed()
  }

  return {
    async turn(signal, isStill) {
      const askedAt = clock.elapsed()
      const mine = last.then(() => wait(signal))
      last = mine.catch(() => undefined)
      const turn = await mine
      if (isStill === undefined || turn - askedAt < LONG_WAIT_MS) return turn
      if (!(await isStill())) {
        throw new ServiceError('changed while the call waited for its turn', { code: 'outdated' })
      }
      // Asking took time, in which others had their turns: the next one keeps its distance to this.
      freeAt = Math.max(freeAt, clock.elapsed() + intervalMs)
      return clock.elapsed()
    },
    noteAnswer(throttled, turn) {
      const now = clock.elapsed()
      // Calls that were under way together are throttled together: they count once.
      const due = throttled ? turn >= changedAt : now - changedAt >= RECOVER_MS
      if (!due) return
      changedAt = now
      intervalMs = throttled
        ? Math.min(MAX_INTERVAL_MS, intervalMs * 2)
        : Math.max(fastestMs, intervalMs / 2)
    },
  }
}
