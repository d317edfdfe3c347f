// Waits for a condition, with a deadline that says what was waited for.
import { setTimeout as pause } from 'node:timers/promises'

const DEADLINE_MS = 10_000
const POLL_MS = 10

/** The first value of `condition` that is neither false nor undefined nor null. */
export async function until<T>(
  label: string,
  condition: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const value = await condition()
    if (value !== false && value !== undefined && value !== null) return value as NonNullable<T>
    if (performance.now() > deadline) throw new Error(`waited in vain: ${label}`)
    await pause(POLL_MS)
  }
}
