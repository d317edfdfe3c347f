// Events that broke a sink again and again: to blame only if the sink takes what comes after them, and
// still breaks over them then. Pure.
import {
  type DeliveryOutcome,
  isStrike,
  MAX_STRIKES,
  type Part,
  type RefusedEvent,
  refusedEvent,
  triedPart,
  waitMs,
} from './delivery.ts'

/**
 * So often a suspect has to fail in a row, once the sink has taken another event: behind
 * a balancer each attempt may meet a backend that is still down while the next one is up.
 */
const CONFIRMATIONS = 3
export type NextComparison =
  /** The sink works: each suspect is tried once more. */
  | { readonly kind: 'works' }
  /** Where `compared` has become suspect itself, the next comparison is with the event after it. */
  | { readonly kind: 'undecided'; readonly compared: Part; readonly afterMs: number }

/**
 * The step after `compared`, the event that follows the suspects, was tried: where it passes, the
 * sink works. Where the sink breaks over that one too, all may be innocent; one that broke it too
 * often is a suspect itself. So is one that is rejected: a proxy may do that before a sink that is
 * down, so it proves nothing.
 */
export function nextComparison(
  outcome: DeliveryOutcome,
  compared: Part,
  random: number,
): NextComparison {
  if (outcome.kind === 'delivered') return { kind: 'works' }
  const tried = triedPart(outcome, compared)
  return {
    kind: 'undecided',
    compared: { ...tried, suspect: outcome.kind === 'rejected' || tried.strikes >= MAX_STRIKES },
    afterMs: waitMs(outcome, tried.failures, random),
  }
}

export type NextConfirmation =
  | { readonly kind: 'advance' }
  | { readonly kind: 'bury'; readonly refused: RefusedEvent }
  | { readonly kind: 'again'; readonly suspect: Part }
  /** The sink does not work after all. */
  | { readonly kind: 'undecided'; readonly afterMs: number }

/**
 * The step after a suspect was tried for the nth time since the sink took the event after it. What
 * it broke before, an outage may have: it is to blame for what it breaks now.
 */
export function nextConfirmation(
  outcome: DeliveryOutcome,
  suspect: Part,
  nth: number,
  random: number,
): NextConfirmation {
  if (outcome.kind === 'delivered') return { kind: 'advance' }
  const tried = triedPart(outcome, suspect)
  const rejected = outcome.kind === 'rejected'
  if (!rejected && !isStrike(outcome)) {
    return { kind: 'undecided', afterMs: waitMs(outcome, tried.failures, random) }
  }
  if (nth < CONFIRMATIONS) return { kind: 'again', suspect: tried }
  const reason = rejected ? outcome.reason : `broke the sink ${tried.strikes} times`
  return { kind: 'bury', refused: refusedEvent(tried, reason) }
}
