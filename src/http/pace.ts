// Who pages through everything must not hold up callbacks: one page is made at a time, in a thread of its
// own where the store has one, and while callbacks keep the event loop busy each is paid for with a pause.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../../ports/clock.ts'

/** From this share of its time on, the event loop is busy. */
const BUSY = 0.5
/** Pauses, as a multiple of the time that a page took: all pages together take a twentieth of a processor. */
const PAUSE = 19

export type Pace = ReturnType<typeof createPace>

/** Lets pages be made in turn. */
export function createPace(clock: Clock) {
  let turn: Promise<unknown> = Promise.resolve()
  let before = performance.eventLoopUtilization()
  const never = new AbortController().signal

  return {
    /** Does the work of a page when it is its turn. */
    inTurn<T>(work: () => Promise<T>): Promise<T> {
      const made = turn.then(async () => {
        const begun = clock.elapsed()
        const page = await work()
        return { page, tookMs: clock.elapsed() - begun }
      })
      turn = made.then(
        async ({ tookMs }) => {
          const now = performance.eventLoopUtilization()
          const { utilization } = performance.eventLoopUtilization(now, before)
          before = now
          if (utilization > BUSY) await clock.sleep(tookMs * PAUSE, never)
        },
        () => undefined,
      )
      return made.then(({ page }) => page)
    },
  }
}
