// Waiting that ends with the emulator.
import { promises } from 'node:timers'

/** Waits so long, and returns early when the signal fires. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await promises.setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
