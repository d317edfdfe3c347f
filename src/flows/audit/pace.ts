// A comparison can wait, and callbacks can't: it takes a few per cent of the event loop and of the
// store's readers, a few milliseconds at a time.
import type { Clock } from '../../ports/clock.ts'

/** Of the time that was worked, what is waited before going on: four per cent of a core at most. */
const REST_SHARE = 24
/** The event loop is held no longer than this. */
const HELD_MS = 4

export type Pace = ReturnType<typeof createPace>

/** Without a clock nobody is waited for. */
export function createPace(clock: Clock | undefined, signal: AbortSignal) {
  let begunAt = 0

  async function rest(workedMs: number): Promise<void> {
    await clock?.sleep(REST_SHARE * workedMs, signal)
    begin()
  }

  function begin(): void {
    begunAt = clock?.elapsed() ?? 0
  }

  return {
    /** Work begins: of the event loop, or of the store that was asked. */
    begin,
    /** The store has worked for so long of the time since. */
    async after(seconds: number): Promise<void> {
      if (clock !== undefined) await rest(Math.min(seconds * 1_000, clock.elapsed() - begunAt))
    },
    /** Between two parts of work that holds the event loop. */
    async turn(): Promise<void> {
      if (clock === undefined) return
      const heldMs = clock.elapsed() - begunAt
      if (heldMs >= HELD_MS) await rest(heldMs)
    },
  }
}
