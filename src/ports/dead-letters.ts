// What a store keeps of the events that a sink has rejected for good. Types only.
import type { RejectedEvent } from '../core/delivery/outcome.ts'

/** An event that a sink has rejected for good, in a copy that outlives the log's. */
export type DeadLetter = RejectedEvent & {
  readonly sink: string
  /** Epoch ms. */
  readonly diedAt: number
  /** The running service is to deliver it once more. */
  readonly retryRequested: boolean
}

export type DeadLetterQuery = {
  /** Null for all; not with `retryRequested`. */
  readonly sink: string | null
  /** Only those that are to be retried. */
  readonly retryRequested?: boolean
  /** Only those whose seq is above this; not with `retryRequested`. */
  readonly after?: number
  readonly limit: number
}

export type DeadLetterChange =
  | {
      readonly kind: 'request_retry' | 'drop'
      /** Null: of every sink. */
      readonly sink: string | null
      /** Null: every one. */
      readonly seqs: readonly number[] | null
    }
  | {
      readonly kind: 'failed_again'
      readonly sink: string
      readonly seq: number
      readonly reason: string
      /** To be added. */
      readonly attempts: number
    }

export interface DeadLetterStore {
  /** Up to `limit` letters by sink and seq; fewer where they are large, and none only if none are left. */
  readDeadLetters(query: DeadLetterQuery): Promise<DeadLetter[]>
  /** How many letters each sink has; a sink that never had one may be missing. */
  countDeadLetters(): Promise<ReadonlyMap<string, number>>
  /**
   * How many letters it changed: call again until none, since one call changes only so many. Rejects
   * with `lease_lost` where `token` is of a tenure that is over.
   */
  changeDeadLetters(change: DeadLetterChange, token?: string | null): Promise<number>
}
