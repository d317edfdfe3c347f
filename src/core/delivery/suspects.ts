// Events that broke a sink again and again: to blame only if the sink takes the event after them, and
// still breaks over them then. Pure.
import { type Batch, rejectedEvent, triedBatch } from './batch.ts'
import { MAX_STRIKES, waitMs } from './delivery.ts'
import { type DeliveryOutcome, isStrike, type RejectedEvent } from './outcome.ts'

/**
 * Failures in a row that convict a suspect, once the sink has taken another event: behind a balancer
 * each attempt may meet a backend that is still down while the next one is up.
 */
const CONFIRMATIONS = 3
/** The share of controls that are tried twice. */
const RETRIED_CONTROLS = 0.5

/** An event that was tried out of turn, to see whether the sink works. */
export type Control = Batch & {
  /** It may be to blame itself: a later event has to be the control. */
  readonly isSuspect: boolean
}

export type NextComparison =
  /** The sink works: each suspect is tried once more. */
  | { readonly kind: 'works' }
  | {
      readonly kind: 'undecided'
      readonly control: Control
      readonly afterMs: number
      /**
       * Try the control once more right away. Now and then: behind a balancer the suspects could
       * else meet the backend that works each time, and the control the one that is down.
       */
      readonly isWorthAnother: boolean
    }

/**
 * The step after `control`, the event that follows the suspects, was tried. If it is delivered, the
 * sink works. If it breaks the sink as well, nobody is judged yet; after too many strikes it is a
 * suspect itself. So is one that is rejected: a proxy may reject it in front of a sink that is down.
 */
export function nextComparison(
  outcome: DeliveryOutcome,
  control: Batch,
  random: number,
): NextComparison {
  if (outcome.kind === 'delivered') return { kind: 'works' }
  const tried = triedBatch(outcome, control)
  return {
    kind: 'undecided',
    control: { ...tried, isSuspect: outcome.kind === 'rejected' || tried.strikes >= MAX_STRIKES },
    afterMs: waitMs(outcome, tried.failures, random),
    isWorthAnother: isStrike(outcome) && random < RETRIED_CONTROLS,
  }
}

export type NextConfirmation =
  | { readonly kind: 'advance' }
  | { readonly kind: 'bury'; readonly rejected: RejectedEvent }
  | { readonly kind: 'again'; readonly suspect: Batch }
  /** The sink does not work after all. */
  | { readonly kind: 'undecided'; readonly afterMs: number }

/**
 * The step after a suspect was tried for the nth time since the sink took the event after it. Strikes
 * before that may be due to an outage: only these convict it.
 */
export function nextConfirmation(
  outcome: DeliveryOutcome,
  suspect: Batch,
  nth: number,
  random: number,
): NextConfirmation {
  if (outcome.kind === 'delivered') return { kind: 'advance' }
  const tried = triedBatch(outcome, suspect)
  const isRejected = outcome.kind === 'rejected'
  if (!isRejected && !isStrike(outcome)) {
    return { kind: 'undecided', afterMs: waitMs(outcome, tried.failures, random) }
  }
  if (nth < CONFIRMATIONS) return { kind: 'again', suspect: tried }
  const reason = isRejected ? outcome.reason : convicted(outcome.reason, tried.strikes)
  return { kind: 'bury', rejected: rejectedEvent(tried, reason) }
}

function convicted(reason: string, strikes: number): string {
  return `${reason}, ${strikes} times, and the event after it was taken`
}
