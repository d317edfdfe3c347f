// What an attempt to deliver came to, and the states of a sink that follow from it.
import type { StoredEvent } from '../events/snapshot-event.ts'

type Undelivered = {
  /** For people; it holds no secret. */
  readonly reason: string
  /** Events delivered before that, counted from the first one; never all of them. */
  readonly confirmed?: number
}

export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** About an event among those sent: waiting would not help. */
  | (Undelivered & { readonly kind: 'rejected' })
  /** About the sink (gone, closed to us, moved): somebody has to act; no event is to blame. */
  | (Undelivered & { readonly kind: 'refused' })
  /** It may pass later, or with fewer events at once. */
  | (Undelivered & {
      readonly kind: 'failed'
      /** The sink broke over what it was sent, or never answered it: an event may be to blame. */
      readonly strike?: boolean
      /** The pause that the sink asked for. */
      readonly retryAfterMs?: number
    })

export const DELIVERY_OUTCOMES = [
  'delivered',
  'rejected',
  'refused',
  'failed',
] as const satisfies DeliveryOutcome['kind'][]

/** `failing` may pass, `refused` waits for somebody to act. */
export const SINK_STATES = ['ok', 'failing', 'refused'] as const
export type SinkState = (typeof SINK_STATES)[number]

/** An event that a sink will not take, whatever is tried. */
export type RejectedEvent = {
  readonly event: StoredEvent
  /** For people; it holds no secret. */
  readonly reason: string
  /** Attempts with this event alone. */
  readonly attempts: number
}

/** The number of `events`, from the first one on, that an attempt delivered. */
export function confirmedOf(outcome: DeliveryOutcome, events: readonly StoredEvent[]): number {
  return outcome.kind === 'delivered' ? events.length : (outcome.confirmed ?? 0)
}

/** Whether an event that was sent alone may be what broke the sink. */
export function isStrike(outcome: DeliveryOutcome): boolean {
  if (outcome.kind !== 'failed' || outcome.strike !== true) return false
  // A sink that asks for a pause is overloaded; the event did not break it.
  return (outcome.retryAfterMs ?? 0) === 0
}
