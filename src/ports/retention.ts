// What may go from a store, and what is known of the events that went before a sink had them. Types
// only.

/** What may go from the log, and how much of it in one transaction. Times are epoch ms. */
export type PruneStep = {
  /** Events that were received before this go once all of `sinks` have had them. */
  readonly deliveredBefore: number
  /** Events that were received before this go, even where a sink lacks them. */
  readonly anyBefore: number
  /**
   * The oldest go, whatever their age, while the store holds more than this: but not as long as more
   * than half of it are dead letters.
   */
  readonly maxBytes: number
  /** Those that the log is kept for; others may have cursors, and hold nothing up. */
  readonly sinks: readonly string[]
  /** Events of one step, at most. */
  readonly limit: number
  readonly at: number
}

/** Events that a sink lacked and that are gone; its cursor was moved to `toSeq`. */
export type Expired = { readonly sink: string; readonly count: number; readonly toSeq: number }

export type Pruned = {
  readonly removed: number
  /** Also of sinks that are not in the settings any more. */
  readonly expired: readonly Expired[]
  /** How long the transaction took, sync included. */
  readonly seconds: number
  /** What the store held before; room that was given back inside its file is not counted. */
  readonly usedBytes: number
  /** There is no room, and dead letters have to make it. */
  readonly isCrowded: boolean
  /** There may be more to go: all that the step looked at is gone. */
  readonly isMore: boolean
}

/** How the log is kept from growing for ever. A step is small: appends wait while it is made. */
export interface Retention {
  /** Removes the oldest events that may go; what a sink lacks becomes an `ExpiredRange` of it. */
  prune(step: PruneStep): Promise<Pruned>
  /** Removes up to `limit` of the oldest dead letters. Returns how many, and how long it took. */
  pruneLetters(limit: number): Promise<Pick<Pruned, 'removed' | 'expired' | 'seconds'>>
  /** What has expired for a sink, or for any. */
  readExpired(sink: string | null): Promise<readonly ExpiredRange[]>
  /** Forgets what has expired. Returns how many ranges. */
  dropExpired(sink: string | null): Promise<number>
}

/** Events that a sink never got, or dead letters that had to go: no copy is left. */
export type ExpiredRange = {
  readonly sink: string
  readonly reason: 'expired' | 'letters_expired'
  readonly fromSeq: number
  readonly toSeq: number
  /** How many there were between. */
  readonly count: number
  /** When the last of them went, epoch ms. */
  readonly expiredAt: number
}
