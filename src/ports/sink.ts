// Where events are handed on to. Types only.
import type { DeliveryOutcome } from '../core/delivery/outcome.ts'
import type { StoredEvent } from '../core/events/snapshot-event.ts'

export type Reachability = { readonly reachable: boolean; readonly detail: string }

export interface Sink {
  readonly name: string
  /** Never rejects. Tries whether the sink is there, without delivering anything. */
  check(signal: AbortSignal): Promise<Reachability>
  /** Never rejects. Events are in the order of the log, at most 100. */
  deliver(events: readonly StoredEvent[], signal: AbortSignal): Promise<DeliveryOutcome>
  close(): Promise<void>
}
