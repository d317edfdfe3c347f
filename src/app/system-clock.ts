// The clock of the machine, in the form that the flows ask for.
import type { Clock } from '../ports/clock.ts'

/** The longest time that a Node timer holds; a longer sleep is made of several. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  async sleep(ms, signal) {
    const until = performance.now() + ms
    for (let rest = ms; rest > 0 && !signal.aborted; rest = until - performance.now()) {
      await pause(Math.min(rest, MAX_TIMER_MS), signal)
    }
  },
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = (): void => {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    resolve()
  }
  const timer = setTimeout(end, ms)
  signal.addEventListener('abort', end, { once: true })
  return promise
}
