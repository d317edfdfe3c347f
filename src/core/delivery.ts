// What follows an attempt to deliver a batch. Pure: the outcome goes in, the next step comes out.
import { backOffMs } from './back-off.ts'
import type { StoredEvent } from './snapshot-event.ts'

/** Soon enough to ride out a restart of the receiver, rare enough not to hinder it. */
const RETRY = { firstMs: 500, maxMs: 5 * 60_000 }

export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** It may pass later. `reason` is for people and holds no secret. */
  | { readonly kind: 'failed'; readonly reason: string }

export const DELIVERY_OUTCOMES = [
  'delivered',
  'failed',
] as const satisfies DeliveryOutcome['kind'][]

/** An event that a sink will not take, whatever is tried. */
export type RefusedEvent = {
  readonly event: StoredEvent
  /** For people; it holds no secret. */
  readonly reason: string
  /** How often the event was tried alone. */
  readonly attempts: number
}

export type NextDelivery =
  | { readonly kind: 'advance' }
  | { readonly kind: 'retry'; readonly afterMs: number }

/** `failures`: how often this batch has failed in a row, this attempt included. */
export function nextDelivery(
  outcome: DeliveryOutcome,
  failures: number,
  random: number,
): NextDelivery {
  if (outcome.kind === 'delivered') return { kind: 'advance' }
  return { kind: 'retry', afterMs: backOffMs(RETRY, failures, random) }
}
