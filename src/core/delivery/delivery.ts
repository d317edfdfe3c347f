// What follows an attempt to deliver: the outcome goes in, the next step comes out. Pure. The two
// questions are whose fault it was, the event's or the sink's, and whether waiting helps.
import { backOffMs } from '../back-off.ts'
import type { StoredEvent } from '../events/snapshot-event.ts'

/** Soon enough to ride out a restart of the receiver, rare enough not to hinder it. */
const RETRY = { firstMs: 500, maxMs: 5 * 60_000 }
/** A sink may ask for a longer pause than ours, but a mistaken one must not silence it for a day. */
const MAX_RETRY_AFTER_MS = 15 * 60_000
/**
 * Of bodies: with what is written around and in them, a batch stays near the 1 MiB that proxies take
 * by default, and is sent in time over a slow line. One event alone is always let through.
 */
export const MAX_PART_BYTES = 256 * 1024
/** So often a batch, or an event alone, may break the sink before it is suspected itself. */
export const MAX_STRIKES = 10
/**
 * So many events are given up in a row. A whole batch of which nothing passes says more about the
 * sink (a wrong secret, a TLS port, a schema that has changed) than about its events.
 */
const MAX_GIVEN_UP = 100

type Undelivered = {
  /** For people; it holds no secret. */
  readonly reason: string
  /** So many of the first events were delivered before that; never all of them. */
  readonly confirmed?: number
}

export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** About an event among those sent: waiting would not help. */
  | (Undelivered & { readonly kind: 'rejected' })
  /** About the sink (gone, closed to us, moved): somebody has to act; no event is to blame. */
  | (Undelivered & { readonly kind: 'refused' })
  /** It may pass later. */
  | (Undelivered & {
      readonly kind: 'failed'
      /** The sink answered, and broke over what it was sent: an event may be to blame after all. */
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
export type RefusedEvent = {
  readonly event: StoredEvent
  /** For people; it holds no secret. */
  readonly reason: string
  /** How often the event was tried alone. */
  readonly attempts: number
}

/** Events that are sent together, and how that went so far. */
export type Part = {
  readonly events: readonly StoredEvent[]
  /** Attempts in a row that did not deliver it: what the back-off counts. */
  readonly failures: number
  /** Those over which the sink broke. */
  readonly strikes: number
  /** It was split off a part that is under suspicion: one more strike and it is split in turn. */
  readonly suspect: boolean
}

export type NextDelivery =
  | { readonly kind: 'advance' }
  /** Neither waits nor gives up: the halves are tried at once, in order. */
  | { readonly kind: 'split'; readonly parts: readonly [Part, Part] }
  /** The one event of the part is refused for good. */
  | { readonly kind: 'bury'; readonly refused: RefusedEvent }
  /** `compare`: first find out whether the sink takes the event after this one. */
  | {
      readonly kind: 'retry'
      readonly part: Part
      readonly afterMs: number
      readonly state: Exclude<SinkState, 'ok'>
      readonly reason: string
      readonly compare: boolean
    }

export function newPart(events: readonly StoredEvent[]): Part {
  return { events, failures: 0, strikes: 0, suspect: false }
}

/** How many events of `part` an attempt delivered, from the first one on. */
export function confirmedOf(outcome: DeliveryOutcome, events: readonly StoredEvent[]): number {
  return outcome.kind === 'delivered' ? events.length : (outcome.confirmed ?? 0)
}

/** What an attempt that failed in its middle left of `part`, and the last event that got through. */
export function restOf(
  outcome: DeliveryOutcome,
  part: Part,
): { rest: Part; last: StoredEvent } | undefined {
  if (outcome.kind === 'delivered') return undefined
  const last = part.events[confirmedOf(outcome, part.events) - 1]
  if (last === undefined) return undefined
  const left = part.events.filter(({ seq }) => seq > last.seq)
  return { rest: { ...newPart(left), suspect: part.suspect }, last }
}

/**
 * The step after an attempt to deliver `part` came to `outcome`. `givenUp`: so many events before it
 * were given up with none delivered since.
 */
export function nextDelivery(
  outcome: DeliveryOutcome,
  part: Part,
  random: number,
  givenUp = 0,
): NextDelivery {
  if (outcome.kind === 'delivered') return { kind: 'advance' }
  const strike = isStrike(outcome)
  const tried = triedPart(outcome, part)
  const { strikes } = tried
  const { reason } = outcome
  const alone = part.events.length === 1
  if (outcome.kind === 'rejected') {
    if (!alone) return split(part, part.suspect)
    return givenUp < MAX_GIVEN_UP ? bury(tried, reason) : halt(tried, reason, random)
  }
  if (strike && !alone && (part.suspect || strikes >= MAX_STRIKES)) return split(part, true)
  return {
    kind: 'retry',
    part: tried,
    afterMs: waitMs(outcome, tried.failures, random),
    state: outcome.kind === 'refused' ? 'refused' : 'failing',
    reason,
    compare: strike && alone && strikes >= MAX_STRIKES,
  }
}

export type NextRetry =
  | { readonly kind: 'remove' }
  | { readonly kind: 'keep'; readonly reason: string }
  | { readonly kind: 'again'; readonly part: Part; readonly afterMs: number }

/** The step after a dead letter was tried once more: as above, but nothing waits for it. */
export function nextRetry(outcome: DeliveryOutcome, part: Part, random: number): NextRetry {
  const next = nextDelivery(outcome, part, random)
  if (next.kind === 'retry' && !next.compare) {
    return { kind: 'again', part: next.part, afterMs: next.afterMs }
  }
  return outcome.kind === 'delivered'
    ? { kind: 'remove' }
    : { kind: 'keep', reason: outcome.reason }
}

export function isStrike(outcome: DeliveryOutcome): boolean {
  if (outcome.kind !== 'failed' || outcome.strike !== true) return false
  // One that says when to come back knows what it is in for: it is not an event that breaks it.
  return (outcome.retryAfterMs ?? 0) === 0
}

export function triedPart(outcome: DeliveryOutcome, part: Part): Part {
  const strikes = part.strikes + (isStrike(outcome) ? 1 : 0)
  return { ...part, failures: part.failures + 1, strikes }
}

export function refusedEvent(part: Part, reason: string): RefusedEvent {
  return { event: part.events[0] as StoredEvent, reason, attempts: part.failures }
}

function bury(part: Part, reason: string): NextDelivery {
  return { kind: 'bury', refused: refusedEvent(part, reason) }
}

/** It is taken for the sink, until that takes this event or one that comes after it. */
function halt(part: Part, reason: string, random: number): NextDelivery {
  return {
    kind: 'retry',
    part,
    afterMs: backOffMs(RETRY, part.failures, random),
    state: 'refused',
    reason: `rejects one event after the other (${reason})`,
    compare: true,
  }
}

function split({ events }: Part, suspect: boolean): NextDelivery {
  const middle = Math.ceil(events.length / 2)
  const [first, second] = [newPart(events.slice(0, middle)), newPart(events.slice(middle))]
  return {
    kind: 'split',
    parts: [
      { ...first, suspect },
      { ...second, suspect },
    ],
  }
}

export function waitMs(outcome: DeliveryOutcome, failures: number, random: number): number {
  const asked = outcome.kind === 'failed' ? (outcome.retryAfterMs ?? 0) : 0
  return Math.max(backOffMs(RETRY, failures, random), Math.min(asked, MAX_RETRY_AFTER_MS))
}
