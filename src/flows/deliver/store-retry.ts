// Delivery outlives trouble of the store: what has to be read or written is tried until it is done.
// A fault that is not the store's is a bug, and is not retried.
import { ServiceError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { createTrouble } from '../fault-log.ts'

/** The pause after a read or a cursor write that failed; the store has trouble, not the sink. */
const STORE_RETRY_MS = 1_000

/** Tries until the store does it; undefined when stopped first. */
export type RetryUntilStored = <T>(work: () => Promise<T>) => Promise<T | undefined>

/** The trouble is logged once for all loops. After `draining` nothing is tried a second time. */
export function createStoreRetry(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly draining: AbortSignal
  readonly ended: AbortSignal
}): RetryUntilStored {
  const { clock, log, draining, ended } = deps
  const trouble = createTrouble(log, {
    begun: 'store fails the dispatcher, retrying',
    over: 'store serves the dispatcher again',
  })
  return async (work) => {
    while (!ended.aborted) {
      try {
        const done = await work()
        trouble.passed(work)
        return done
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
        trouble.met(work, error)
        await clock.sleep(STORE_RETRY_MS, draining)
        if (draining.aborted) return undefined
      }
    }
    return undefined
  }
}
