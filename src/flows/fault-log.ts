// Trouble that lasts is told twice: when it begins and when it is over, whoever meets it meanwhile
// and however often.
import { describeError } from '../errors.ts'
import type { Log } from '../ports/log.ts'

export type Trouble = {
  /** `who` has met it. */
  met(who: unknown, error: unknown): void
  /** `who` went on without it; it is over when all have that had met it. */
  passed(who: unknown): void
}

export function createTrouble(log: Log, told: { begun: string; over: string }): Trouble {
  const troubled = new Set<unknown>()
  return {
    met(who, error) {
      if (troubled.size === 0) log.warn(told.begun, { reason: describeError(error) })
      troubled.add(who)
    },
    passed(who) {
      if (troubled.delete(who) && troubled.size === 0) log.info(told.over)
    },
  }
}
