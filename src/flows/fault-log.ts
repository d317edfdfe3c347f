// Trouble that lasts is logged twice: when it begins and when it is over, whoever meets it meanwhile
// and however often. Only faults that we know are trouble: a bug is thrown on.
import { describeError, throwBug } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

/** Trouble that comes and goes many times a second is logged this often. */
const HOLD_MS = 10_000

export type Trouble = {
  /** `who` has met it. Throws what is no fault of ours, but a bug. */
  met(who: unknown, error: unknown): void
  /** `who` has got on again. The trouble is over once all have that had met it. */
  passed(who: unknown): void
}

export function createTrouble(log: Log, lines: { begun: string; over: string }): Trouble {
  const troubled = new Set<unknown>()
  return {
    met(who, error) {
      throwBug(error)
      if (troubled.size === 0) log.warn(lines.begun, { reason: describeError(error) })
      troubled.add(who)
    },
    passed(who) {
      if (troubled.delete(who) && troubled.size === 0) log.info(lines.over)
    },
  }
}

/** The same for what happens with every request: it may begin and be over again at once. */
export function createFrequentTrouble(
  lines: { begun: string; over: string },
  { log, clock }: { log: Log; clock: Clock },
): { met(reason: string): void; passed(): void } {
  let logged: string | null = null
  let loggedAt = -Infinity
  return {
    met(reason) {
      if (reason === logged || clock.elapsed() - loggedAt < HOLD_MS) return
      logged = reason
      loggedAt = clock.elapsed()
      log.error(lines.begun, { reason })
    },
    passed() {
      if (logged === null) return
      logged = null
      log.info(lines.over)
    },
  }
}
