// The end of a service: what it holds open is closed in reverse order, and within a time.
import { describeBug } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

/** All of it: an orchestrator that allows five seconds sees an orderly end. */
const STOP_MS = 4_500

export type OrderlyEnd = {
  /** What is added last is called first. */
  add(stop: () => Promise<unknown> | unknown): void
  /** Stops everything, once. Never rejects. */
  stop(): Promise<void>
}

export function createOrderlyEnd({ clock, log }: { clock: Clock; log: Log }): OrderlyEnd {
  const stops: (() => Promise<unknown> | unknown)[] = []
  let stopping: Promise<void> | undefined
  const stopped = new AbortController()

  async function stopAll(): Promise<void> {
    for (const each of stops.toReversed()) {
      try {
        await each()
      } catch (error) {
        log.error('stopping one part of the service failed', describeBug(error))
      }
    }
    stopped.abort()
  }

  /** What hangs longer is left behind: the kernel takes back what the process holds. */
  async function late(): Promise<void> {
    await clock.sleep(STOP_MS, stopped.signal)
    if (!stopped.signal.aborted) log.error('stopped without waiting for all parts')
  }

  return {
    add: (stop) => void stops.push(stop),
    stop() {
      stopping ??= Promise.race([stopAll(), late()])
      return stopping
    },
  }
}
