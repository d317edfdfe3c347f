// What the flows need of a store, in the flows' words: the log, rings, cursors, and what becomes of
// events that can't be delivered or kept. Types only.
import type { Jump } from '../core/delivery/lag.ts'
import type { RejectedEvent } from '../core/delivery/outcome.ts'
import type { Understood } from '../core/events/callback.ts'
import type { ReplaySelection } from '../core/events/replay.ts'
import type { NewEvent, StoredEvent } from '../core/events/snapshot-event.ts'
import type { Ring } from '../core/keys/key-ring.ts'
import type { AuditStore } from './audit.ts'

export type Appended = { readonly seq: number; readonly duplicate: boolean }

export interface EventLog {
  /**
   * Resolves once the event is committed and synced to disk; for an event that is already in the
   * log, once that one is. Rejects with a `ServiceError`: `store_overloaded` (the queue is full,
   * nothing was taken), `store_slow` (no answer in time; it may still be kept), `store_full`,
   * `store_failed`, `store_damaged`. Whoever has read the body hands over what it says.
   */
  append(event: NewEvent, understood?: Understood): Promise<Appended>
  /**
   * Events whose seq is above `after`, in order: up to `limit`, and up to `maxBytes` of bodies, but
   * at least one if there is any.
   */
  read(after: number, limit: number, maxBytes?: number): Promise<StoredEvent[]>
  stats(): Promise<LogStats>
}

export type LogStats = {
  /** What is in the log. */
  readonly events: number
  /** The highest seq given out; 0 in an empty log. */
  readonly lastSeq: number
  /** Where there are any, in a shared store. */
  readonly jumps?: readonly Jump[]
  /** Of the server of a shared store, at the last append; it is another one after a failover. */
  readonly timeline?: string
}

export type StoredRing = { readonly ring: Ring; readonly revision: number }

export interface RingStore {
  /** The ring of a domain, or null. A foreign key that no secret of ours opens is left out. */
  loadRing(domain: string): Promise<StoredRing | null>
  /**
   * Commits a ring if the stored revision is still `revision` (0: there is none yet). Returns the
   * new revision, or null when somebody else was faster: load again and decide again.
   */
  saveRing(domain: string, ring: Ring, revision: number): Promise<number | null>
  /** A number that grows with every ring saved by anyone. */
  ringsVersion(): Promise<number>
}

export interface CursorStore {
  /** The seq of the last event that a sink has delivered; 0 for a sink not seen before. */
  loadCursor(sink: string): Promise<number>
  /**
   * Moves a cursor forward, and makes the events that were rejected on the way dead letters: both
   * or neither. Rejects with `lease_lost` where `token` is of a tenure that is over.
   */
  advanceCursor(
    sink: string,
    seq: number,
    rejected?: readonly RejectedEvent[],
    token?: string | null,
  ): Promise<void>
  /** Every sink that ever delivered, also those that are no longer in the settings. */
  listCursors(): Promise<readonly { readonly sink: string; readonly seq: number }[]>
}

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

export type ReplayRequest = ReplaySelection & { readonly sink: string }

export type Replay = ReplayRequest & {
  readonly id: number
  /** Epoch ms. */
  readonly requestedAt: number
  /** Events up to this one have been looked at. */
  readonly lookedUpTo: number
  /** The sink's cursor at the time of the request; later events were not delivered yet. */
  readonly lastSeq: number
  readonly delivered: number
  readonly rejected: number
  /** Epoch ms; null while it goes on. */
  readonly endedAt: number | null
  readonly cancelled: boolean
}

export type ReplayProgress = {
  readonly id: number
  /** Events up to this one have been looked at. */
  readonly seq: number
  /** To be added. */
  readonly delivered: number
  /** To be added. */
  readonly rejected: number
  readonly isEnd: boolean
}

export interface ReplayStore {
  /** Asks for a replay of what the sink has had by now. Returns its number. */
  requestReplay(request: ReplayRequest): Promise<number>
  /** The first replay of a sink that has not ended, or null. */
  nextReplay(sink: string): Promise<Replay | null>
  /** The latest replays, the last one first. */
  listReplays(): Promise<readonly Replay[]>
  /** Notes how far a replay got; nothing where it has ended. */
  advanceReplay(progress: ReplayProgress, token?: string | null): Promise<void>
  /** Whether there was one under way with this number. */
  cancelReplay(id: number): Promise<boolean>
}

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

/** The time that services have spent listening on this store, in seconds. */
export interface ReceivingTime {
  loadReceivingTime(): Promise<number>
  addReceivingTime(seconds: number): Promise<void>
}

/** What came in for a domain over the whole life of a store. */
export type Tally = {
  /** When the last callback that was kept came, epoch ms; null for never. */
  readonly lastCallbackAt: number | null
  /** Unsigned callbacks that were refused. */
  readonly unsigned: number
}

/** The log itself notes the time of a callback, in the commit that keeps it. */
export interface Tallies {
  loadTally(domain: string): Promise<Tally>
  addUnsigned(domain: string, count: number): Promise<void>
}

/** Everything that one store offers. `close` ends what was taken and then the store. */
export interface Store
  extends EventLog,
    RingStore,
    CursorStore,
    DeadLetterStore,
    ReplayStore,
    Retention,
    ReceivingTime,
    Tallies,
    AuditStore {
  /** Rejects with the store's fault while it takes no appends. */
  checkWritable(): Promise<void>
  close(): Promise<void>
}
