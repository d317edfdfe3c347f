// What follows an attempt to deliver: the outcome goes in, the next step comes out. Pure. The two
// questions are whose fault it was, the event's or the sink's, and whether waiting helps.
import { backOffMs } from '../back-off.ts'
import { type Batch, rejectedEvent, triedBatch } from './batch.ts'
import { type DeliveryOutcome, isStrike, type RejectedEvent, type SinkState } from './outcome.ts'

/** Soon enough to ride out a restart of the receiver, rare enough not to hinder it. */
const RETRY = { firstMs: 500, maxMs: 5 * 60_000 }
/** A sink may ask for a longer pause than ours, but a mistaken one must not silence it for a day. */
const MAX_RETRY_AFTER_MS = 15 * 60_000
/** Strikes after which an event that is sent alone is suspected. */
export const MAX_STRIKES = 10
/**
 * Events given up in a row. A whole batch of which nothing passes says more about the sink (a wrong
 * secret, a TLS port, a schema that has changed) than about its events.
 */
export const MAX_GIVEN_UP = 100

/** How a sink shows while a batch waits. */
type Trouble = {
  readonly afterMs: number
  readonly state: Exclude<SinkState, 'ok'>
  readonly reason: string
}

export type NextDelivery =
  | { readonly kind: 'advance' }
  /** Fewer events at once, as `nextSize` says: no event is suspected, and none given up. */
  | { readonly kind: 'send_less'; readonly trouble?: Trouble }
  /** The one event of the batch is rejected for good. */
  | { readonly kind: 'bury'; readonly rejected: RejectedEvent }
  | {
      readonly kind: 'retry'
      readonly batch: Batch
      readonly trouble: Trouble
      /** First find out whether the sink takes the event after this one. */
      readonly compare: boolean
    }

/**
 * The step after an attempt to deliver `batch` came to `outcome`. `givenUp`: events before it that
 * were given up, with none delivered since.
 */
export function nextDelivery(
  outcome: DeliveryOutcome,
  batch: Batch,
  random: number,
  givenUp = 0,
): NextDelivery {
  if (outcome.kind === 'delivered') return { kind: 'advance' }
  const tried = triedBatch(outcome, batch)
  const isAlone = batch.events.length === 1
  if (outcome.kind === 'rejected') {
    if (!isAlone) return { kind: 'send_less' }
    if (givenUp >= MAX_GIVEN_UP) return halt(tried, outcome.reason, random)
    return { kind: 'bury', rejected: rejectedEvent(tried, outcome.reason) }
  }
  const trouble: Trouble = {
    afterMs: waitMs(outcome, tried.failures, random),
    state: outcome.kind === 'refused' ? 'refused' : 'failing',
    reason: outcome.reason,
  }
  if (outcome.kind === 'failed' && !isAlone) return { kind: 'send_less', trouble }
  const compare = isAlone && isStrike(outcome) && tried.strikes >= MAX_STRIKES
  return { kind: 'retry', batch: tried, trouble, compare }
}

export type NextRetry =
  | { readonly kind: 'remove' }
  | { readonly kind: 'keep'; readonly reason: string }
  | { readonly kind: 'again'; readonly batch: Batch; readonly afterMs: number }

/** The step after a dead letter was tried once more: as above, but nothing waits for it. */
export function nextRetry(outcome: DeliveryOutcome, batch: Batch, random: number): NextRetry {
  const next = nextDelivery(outcome, batch, random)
  if (next.kind === 'retry' && !next.compare) {
    return { kind: 'again', batch: next.batch, afterMs: next.trouble.afterMs }
  }
  return outcome.kind === 'delivered'
    ? { kind: 'remove' }
    : { kind: 'keep', reason: outcome.reason }
}

/**
 * Events given up last, up to `cursor`, of a sink whose dead letters have these seqs: what a restart
 * knows of a sink that rejects one event after the other.
 */
export function givenUpBefore(cursor: number, deadSeqs: readonly number[]): number {
  const dead = new Set(deadSeqs)
  let count = 0
  while (dead.has(cursor - count)) count += 1
  return count
}

/** Blame the sink until it accepts this event or a later one. */
function halt(batch: Batch, reason: string, random: number): NextDelivery {
  return {
    kind: 'retry',
    batch,
    trouble: {
      afterMs: backOffMs(RETRY, batch.failures, random),
      state: 'refused',
      reason: `rejects one event after the other (${reason})`,
    },
    compare: true,
  }
}

/** The pause before the next attempt, after `failures` in a row. */
export function waitMs(outcome: DeliveryOutcome, failures: number, random: number): number {
  const asked = outcome.kind === 'failed' ? (outcome.retryAfterMs ?? 0) : 0
  return Math.max(backOffMs(RETRY, failures, random), Math.min(asked, MAX_RETRY_AFTER_MS))
}
