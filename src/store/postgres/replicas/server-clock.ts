// The server's clock, for what replicas judge together: when an event was received, and whether it is
// old. One replica whose clock is a day off must not let expire what another has just kept.
import type { NewEvent } from '../../../core/events/snapshot-event.ts'
import type { PruneStep } from '../../../ports/retention.ts'

/** Clocks that are set by the network differ by less; so the times of a replica that is right stay its own. */
const OFF_MS = 5_000

export function createServerClock(now: () => number, onClock?: (offMs: number) => void) {
  /** What is to be added to a time of this replica. */
  let offset = 0

  return {
    /** To be called with what the server's clock shows. */
    note(serverNow: number): void {
      const seen = serverNow - now()
      const wasOff = offset !== 0
      offset = Math.abs(seen) < OFF_MS ? 0 : Math.round(seen)
      if (wasOff !== (offset !== 0)) onClock?.(-offset)
    },
    received(event: NewEvent): NewEvent {
      return offset === 0 ? event : { ...event, receivedAt: event.receivedAt + offset }
    },
    step(step: PruneStep): PruneStep {
      const { deliveredBefore, anyBefore, at } = step
      return {
        ...step,
        deliveredBefore: deliveredBefore + offset,
        anyBefore: anyBefore + offset,
        at: at + offset,
      }
    },
  }
}
