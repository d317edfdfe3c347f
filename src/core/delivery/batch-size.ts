// How many events are sent at once. A sink that is slow or small shows it only by failing, so half as
// many are tried after each failure, and more again after successes. Pure.
import type { DeliveryOutcome } from './outcome.ts'

/** A batch is held in memory, as is the next; two are delivered again after a crash. */
export const MAX_BATCH_EVENTS = 100
/**
 * The most full batches to be delivered before a larger one is tried: a receiver at its limit then
 * does one batch in 64 in vain, and one that has become faster is served faster within minutes.
 */
const MAX_PATIENCE = 64

export type BatchSize = {
  /** Events sent at once, at most. */
  readonly limit: number
  /** Full batches to be delivered in a row before the limit is doubled. */
  readonly patience: number
  /** Full batches delivered in a row since the limit is this. */
  readonly successes: number
  /** The limit was doubled, and no full batch has been delivered since. */
  readonly isTrial: boolean
}

/** Where a sink begins of which nothing is known. */
export const FULL_SIZE: BatchSize = {
  limit: MAX_BATCH_EVENTS,
  patience: 1,
  successes: 0,
  isTrial: false,
}

/** The size to go on with after an attempt to deliver `sent` events. */
export function nextSize(size: BatchSize, outcome: DeliveryOutcome, sent: number): BatchSize {
  switch (outcome.kind) {
    // A sink that refuses does so whatever it is sent.
    case 'refused':
      return size
    case 'delivered':
      return sent < size.limit ? size : grown(size)
    case 'failed':
    case 'rejected':
      return shrunk(size, sent)
  }
}

function shrunk({ patience, isTrial }: BatchSize, sent: number): BatchSize {
  return {
    limit: Math.ceil(sent / 2),
    // The smaller size worked: it is kept for longer before this one is tried again.
    patience: isTrial ? Math.min(MAX_PATIENCE, 2 * patience) : patience,
    successes: 0,
    isTrial: false,
  }
}

function grown({ limit, isTrial, ...size }: BatchSize): BatchSize {
  const patience = isTrial ? Math.ceil(size.patience / 2) : size.patience
  const successes = size.successes + 1
  if (limit === MAX_BATCH_EVENTS || successes < patience) {
    return { limit, patience, successes, isTrial: false }
  }
  return { limit: Math.min(MAX_BATCH_EVENTS, 2 * limit), patience, successes: 0, isTrial: true }
}
