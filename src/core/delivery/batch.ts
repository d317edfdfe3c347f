// Events that are sent together, and how that went so far.
import type { StoredEvent } from '../events/snapshot-event.ts'
import { confirmedOf, type DeliveryOutcome, isStrike, type RejectedEvent } from './outcome.ts'

/**
 * Of bodies: with what is written around and in them, a batch stays near the 1 MiB that proxies take
 * by default, and is sent in time over a slow line. One event alone is always let through.
 */
export const MAX_BATCH_BYTES = 256 * 1024

export type Batch = {
  readonly events: readonly StoredEvent[]
  /** Attempts in a row that did not deliver it: what the back-off counts. */
  readonly failures: number
  /** Those over which the sink broke. */
  readonly strikes: number
}

export function newBatch(events: readonly StoredEvent[]): Batch {
  return { events, failures: 0, strikes: 0 }
}

/** The first event of a batch, or its only one. */
export function firstOf({ events }: Pick<Batch, 'events'>): StoredEvent {
  return events[0] as StoredEvent
}

/** `batch` after an attempt that did not deliver it. */
export function triedBatch(outcome: DeliveryOutcome, batch: Batch): Batch {
  const strikes = batch.strikes + (isStrike(outcome) ? 1 : 0)
  return { ...batch, failures: batch.failures + 1, strikes }
}

/** What an attempt that failed in its middle left of `batch`, and the last event delivered. */
export function restOf(
  outcome: DeliveryOutcome,
  batch: Batch,
): { readonly rest: Batch; readonly last: StoredEvent } | undefined {
  if (outcome.kind === 'delivered') return undefined
  const confirmed = confirmedOf(outcome, batch.events)
  const last = batch.events[confirmed - 1]
  return last && { rest: newBatch(batch.events.slice(confirmed)), last }
}

/** The only event of `batch`, which is given up. */
export function rejectedEvent(batch: Batch, reason: string): RejectedEvent {
  return { event: firstOf(batch), reason, attempts: batch.failures }
}
