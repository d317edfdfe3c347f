// Who pages through everything must not hold up callbacks, which are taken on the same event loop: one
// page is made at a time, and while the loop is busy each is paid for with a pause.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../../ports/clock.ts'

/** From this share of its time on, the event loop is busy. */
const BUSY = 0.5
/** Pauses, as a multiple of the time that a page took of the loop: it is left nine tenths. */
const PAUSE = 9
/** Answering the request costs about as much as making the page. */
const WITH_ANSWER = 2

export type Pace = ReturnType<typeof createPace>

/** Lets pages be made in turn. */
export function createPace(clock: Clock) {
  let turn: Promise<unknown> = Promise.resolve()
  let before = performance.eventLoopUtilization()
  const never = new AbortController().signal

  return {
    /** Reads with `read`, then makes the answer with `make`, when it is its turn. */
    inTurn<T, R>(read: () => Promise<T>, make: (read: T) => R): Promise<R> {
      const made = turn.then(async () => {
        const found = await read()
        const begun = clock.elapsed()
        const result = make(found)
        return { result, tookMs: clock.elapsed() - begun }
      })
      turn = made.then(
        async ({ tookMs }) => {
          const now = performance.eventLoopUtilization()
          const { utilization } = performance.eventLoopUtilization(now, before)
          before = now
          if (utilization > BUSY) await clock.sleep(tookMs * WITH_ANSWER * PAUSE, never)
        },
        () => undefined,
      )
      return made.then(({ result }) => result)
    },
  }
}
