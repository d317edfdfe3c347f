// A clock that stands still until a test moves it.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../src/ports/clock.ts'

/** Rounds of the event loop that let everything settle which needs no more time. */
const SETTLE_ROUNDS = 12

type Sleeper = { at: number; wake(): void }

export type ManualClock = Clock & {
  /** Moves on by `ms`, waking each sleeper at its own time. */
  advance(ms: number): Promise<void>
  /** Lets go on what needs no more time. */
  settle(): Promise<void>
}

export function manualClock(
  start = Date.parse('2026-01-02T03:04:05Z'),
  /** Fewer where nothing but promises is waited for: a test of days is then a matter of seconds. */
  rounds = SETTLE_ROUNDS,
): ManualClock {
  let now = start
  const sleepers = new Set<Sleeper>()

  async function settle(): Promise<void> {
    for (let round = 0; round < rounds; round++) await setImmediate()
  }

  return {
    now: () => now,
    elapsed: () => now - start,
    sleep(ms, signal) {
      if (signal.aborted) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      const sleeper = {
        at: now + ms,
        wake() {
          sleepers.delete(sleeper)
          signal.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      sleepers.add(sleeper)
      signal.addEventListener('abort', sleeper.wake)
      return promise
    },
    async advance(ms) {
      const until = now + ms
      for (;;) {
        await settle()
        const next = firstOf(sleepers)
        if (next === undefined || next.at > until) break
        now = Math.max(now, next.at)
        next.wake()
      }
      now = until
      await settle()
    },
    settle,
  }
}

/** Whoever is to wake first; of several, who went to sleep first. */
function firstOf(sleepers: ReadonlySet<Sleeper>): Sleeper | undefined {
  let first: Sleeper | undefined
  for (const each of sleepers) if (first === undefined || each.at < first.at) first = each
  return first
}
