// What the flows need of a store, in the flows' words: the log, rings, cursors, tallies. Dead letters,
// replays, retention and the audit have files of their own, beside this one. Types only.
import type { Jump } from '../core/delivery/lag.ts'
import type { RejectedEvent } from '../core/delivery/outcome.ts'
import type { Understood } from '../core/events/callback.ts'
import type { NewEvent, StoredEvent } from '../core/events/snapshot-event.ts'
import type { Ring } from '../core/keys/key-ring.ts'
import type { AuditStore } from './audit.ts'
import type { DeadLetterStore } from './dead-letters.ts'
import type { ReplayStore } from './replays.ts'
import type { Retention } from './retention.ts'

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
