// Counts the events that were kept before streams were: beside the running service, in small steps
// with pauses, since appends wait while one is made.
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Streams } from '../../ports/reading.ts'
import { createTrouble } from '../fault-log.ts'

const STEP_EVENTS = 512
/** The writer's time that is left to callbacks, as a multiple of what a step takes. */
const PAUSE = 3
/** After a store that did not answer. */
const RETRY_MS = 1_000

/** Resolves when all are counted, or on `signal`. */
export async function fillStreams(deps: {
  store: Pick<Streams, 'fillStreams'>
  clock: Clock
  log: Log
  signal: AbortSignal
}): Promise<void> {
  const { store, clock, log, signal } = deps
  const trouble = createTrouble(log, {
    begun: 'streams of earlier events are not counted, since the store fails',
    over: 'streams of earlier events are counted again',
  })
  while (!signal.aborted) {
    try {
      const { seconds, isMore } = await store.fillStreams(STEP_EVENTS)
      trouble.passed(store)
      if (!isMore) return
      await clock.sleep(seconds * 1_000 * PAUSE, signal)
    } catch (error) {
      trouble.met(store, error)
      await clock.sleep(RETRY_MS, signal)
    }
  }
}
