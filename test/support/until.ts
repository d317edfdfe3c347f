// Waits for a condition, with a deadline that says what was waited for.
import { setTimeout as pause } from 'node:timers/promises'

/** Generous: end-to-end tests share two cores with each other. */
const DEADLINE_MS = 20_000
/** Often at first, and then ever more rarely: to ask a service costs its time, too. */
const FIRST_POLL_MS = 5
const LAST_POLL_MS = 150
/** So much longer than it need be may a wait get. */
const SHARE = 0.1

type Found<T> = Exclude<T, false | undefined | null>

/** The first value of `condition` that is neither false nor undefined nor null. */
export async function until<T>(
  label: string,
  condition: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<Found<T>> {
  const start = performance.now()
  for (;;) {
    const value = await condition()
    if (value !== false && value !== undefined && value !== null) return value as Found<T>
    const waitedMs = performance.now() - start
    if (waitedMs > deadlineMs) throw new Error(`waited in vain: ${label}`)
    await pause(Math.min(Math.max(waitedMs * SHARE, FIRST_POLL_MS), LAST_POLL_MS))
  }
}
