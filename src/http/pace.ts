// What reading may take of the service: callbacks come first. All that reads pauses after each piece of
// work, the longer the busier the event loop; beside a full one it takes next to nothing and falls behind,
// which loses nobody an event: it goes on in the log where it was.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../ports/clock.ts'

/** Up to this share of its time the loop is at leisure: nothing has to wait … */
const AT_LEISURE = 0.3
/** … and from this one on it counts as full: it never reaches 1, since it waits for the disk as well. */
const FULL = 0.8
/** What work may take of one processor beside a full loop. */
const LEAST_SHARE = 1 / 40
/** No pause is longer, in ms, whatever the work took. */
const LONGEST_PAUSE_MS = 3_000
/** The loop is judged by the last one or two of these, in ms: commits come in bursts. */
const WINDOW_MS = 100
/** How often a pause is looked at again, in ms: a flood may end meanwhile. */
const STEP_MS = 20

type LoopUse = ReturnType<typeof performance.eventLoopUtilization>

export type Pace = ReturnType<typeof createPace>

export function createPace(clock: Clock, loop: () => LoopUse = performance.eventLoopUtilization) {
  let older = loop()
  let newer = older

  /** The share of the last time in which the loop was busy. */
  function utilization(): number {
    const now = loop()
    const use = performance.eventLoopUtilization(now, older).utilization
    if (now.active + now.idle - newer.active - newer.idle >= WINDOW_MS) {
      older = newer
      newer = now
    }
    return use
  }

  return {
    /** Pauses after work that took `tookMs`, for `leastMs` at least. */
    async pause(tookMs: number, leastMs: number, signal: AbortSignal): Promise<void> {
      let paused = 0
      let step = leastMs
      do {
        await clock.sleep(step, signal)
        paused += step
        const wantedMs = tookMs * (1 / shareBeside(utilization()) - 1)
        step = Math.min(STEP_MS, Math.min(wantedMs, LONGEST_PAUSE_MS) - paused)
      } while (step > 0 && !signal.aborted)
    },
  }
}

/** What work may take of the time beside a loop that is busy for `use` of it. */
function shareBeside(use: number): number {
  const left = Math.max(0, FULL - use) / (FULL - AT_LEISURE)
  return Math.min(1, Math.max(LEAST_SHARE, left ** 2))
}

/** Lets works be done one at a time, each paid for with a pause before the next. */
export function createTurns(pace: Pace, clock: Clock, signal: AbortSignal) {
  let turn: Promise<unknown> = Promise.resolve()
  return function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(async () => {
      const begun = clock.elapsed()
      const result = await work()
      return { result, tookMs: clock.elapsed() - begun }
    })
    turn = done.then(
      ({ tookMs }) => pace.pause(tookMs, 0, signal),
      () => undefined,
    )
    return done.then(({ result }) => result)
  }
}
