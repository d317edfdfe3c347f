// What the flows need of the world, in the flows' words. Types only.
import type { CallbackOutcome, Flag } from './core/callback.ts'
import type { DeliveryOutcome, RefusedEvent, SinkState } from './core/delivery.ts'
import type { KeyRole, Ring } from './core/key-ring.ts'
import type { Observed } from './core/observation.ts'
import type { ProbeResult } from './core/probe.ts'
import type { Registration, RegistrationChange, RegistrationState } from './core/registration.ts'
import type { ReplaySelection } from './core/replay.ts'
import type { NewEvent, StoredEvent } from './core/snapshot-event.ts'

export interface Clock {
  /** Epoch milliseconds: for what is compared with others or outlives the process. It may jump. */
  now(): number
  /** Milliseconds from some moment on, never backwards: for how long something takes. */
  elapsed(): number
  /** Resolves after `ms`, or as soon as `signal` aborts; it never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** A number from 0 up to 1, for jitter. */
export type Random = () => number

/** Whether a change that was decided on some time ago is still to be made. Never rejects. */
export type IsStill = () => Promise<boolean>

/**
 * The provider's API. Each call is paced and made once; it rejects with a `ServiceError` whose code
 * begins with `api_`, or `aborted`. One that changes something asks `isStill` first where it had to
 * wait long for its turn; where that says no, it is not made, and rejects with `outdated`.
 */
export interface LiveApi {
  describe(domain: string, signal: AbortSignal): Promise<Observed>
  add(
    domain: string,
    registration: Registration,
    signal: AbortSignal,
    isStill?: IsStill,
  ): Promise<void>
  update(
    domain: string,
    registration: Registration,
    signal: AbortSignal,
    isStill?: IsStill,
  ): Promise<void>
  /** Resolves also where there was nothing to delete. */
  remove(domain: string, signal: AbortSignal, isStill?: IsStill): Promise<void>
}

/** One app's snapshot template, as far as it concerns callbacks. */
export type SnapshotConfig = {
  readonly app: string
  /** Where this app sends its callbacks by itself, past the domain's registration; null: nowhere. */
  readonly callbackUrl: string | null
}

/** What only `doctor` asks the provider; it rejects as `LiveApi` does. */
export interface LiveInspection {
  snapshotConfigs(domain: string, signal: AbortSignal): Promise<SnapshotConfig[]>
}

export type Appended = { readonly seq: number; readonly duplicate: boolean }

export interface EventLog {
  /**
   * Resolves once the event is committed and synced to disk; for an event that is already in the
   * log, once that one is. Rejects with a `ServiceError`: `store_overloaded` (the queue is full,
   * nothing was taken), `store_slow` (no answer in time; it may still be kept), `store_full`,
   * `store_failed`, `store_damaged`.
   */
  append(event: NewEvent): Promise<Appended>
  /**
   * Events whose seq is above `after`, in order: up to `limit`, and up to `maxBytes` of bodies, but
   * at least one if there is any.
   */
  read(after: number, limit: number, maxBytes?: number): Promise<StoredEvent[]>
  /** Events in the log, and the highest seq given out (0 in an empty log). */
  stats(): Promise<{ events: number; lastSeq: number }>
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
   * Moves a cursor forward, and makes the events that were refused on the way dead letters: both
   * or neither.
   */
  advanceCursor(sink: string, seq: number, refused?: readonly RefusedEvent[]): Promise<void>
  /** Every sink that ever delivered, also those that are no longer in the settings. */
  listCursors(): Promise<readonly { readonly sink: string; readonly seq: number }[]>
}

/** An event that a sink has refused for good, in a copy that outlives the log's. */
export type DeadLetter = RefusedEvent & {
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
  /** How many letters it changed: call again until none, since one call changes only so many. */
  changeDeadLetters(change: DeadLetterChange): Promise<number>
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
  /** Where the cursor of the sink was when it was asked for: what comes after is not had yet. */
  readonly lastSeq: number
  readonly delivered: number
  readonly refused: number
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
  readonly refused: number
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
  advanceReplay(progress: ReplayProgress): Promise<void>
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
    Tallies {
  /** Rejects with the store's fault while it takes no appends. */
  checkWritable(): Promise<void>
  close(): Promise<void>
}

export type Reachability = { readonly reachable: boolean; readonly detail: string }

export interface Sink {
  readonly name: string
  /** Never rejects. Tries whether the sink is there, without delivering anything. */
  check(signal: AbortSignal): Promise<Reachability>
  /** Never rejects. Events are in the order of the log, at most 100. */
  deliver(events: readonly StoredEvent[], signal: AbortSignal): Promise<DeliveryOutcome>
  close(): Promise<void>
}

type LogMethod = (message: string, fields?: Readonly<Record<string, unknown>>) => void
/** Fields must hold no secret, key, token or signature; the shell redacts known names as well. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', LogMethod>

export type { CallbackOutcome }

export interface ReceiverMetrics {
  callback(domain: string, outcome: CallbackOutcome, seconds: number): void
  verified(domain: string, key: KeyRole, ageSeconds: number): void
  flagged(domain: string, flags: readonly Flag[]): void
}

export interface RegistrarMetrics {
  registration(domain: string, state: RegistrationState): void
  changed(domain: string, change: RegistrationChange): void
  /** `generation` -1: foreign. `seenAt` is since when this store has seen the key, epoch ms. */
  keyInForce(domain: string, generation: number, seenAt: number): void
}

export interface RingMetrics {
  /** When the last callback came, epoch ms, as far as the store remembers. */
  lastCallback(domain: string, at: number): void
}

export interface ProberMetrics {
  /** How a probe through the public URL went. */
  probed(result: ProbeResult): void
}

export interface DispatcherMetrics {
  /** One attempt to deliver a batch of `events`. */
  attempted(sink: string, outcome: DeliveryOutcome['kind'], events: number): void
  sinkState(sink: string, state: SinkState): void
}

export interface JanitorMetrics {
  /** What the store takes, and what it may take, in bytes. */
  storeSize(usedBytes: number, maxBytes: number): void
  /** Events that a sink will not get. */
  expired(sink: string, events: number): void
}

/** What the metrics read from its owner when they are asked for. */
export type Sample = {
  readonly eventsStored: number
  readonly lagBySink: ReadonlyMap<string, number>
  readonly deadLettersBySink: ReadonlyMap<string, number>
}

/** What the operations listener shows of one domain. Found URLs are shown, keys never. */
export type RegistrationView = {
  readonly domain: string
  readonly state: RegistrationState
  /** One sentence: what is wrong and what to do, or null where nothing is. */
  readonly detail: string | null
  readonly url: string
  /** The URL found at the provider at the last look, where it is not the one that we want. */
  readonly foundUrl: string | null
  readonly keyKnown: boolean
  /** Unsigned callbacks refused since the first registration: pushes from before authentication. */
  readonly unsigned: number
  /** The generation in force; -1 foreign; null unknown. */
  readonly generation: number | null
  /** When the last callback that verified came, ISO 8601. */
  readonly lastCallbackAt: string | null
  /** When the provider was last looked at with success, ISO 8601. */
  readonly lookedAt: string | null
}

export type SinkView = {
  readonly name: string
  readonly state: SinkState
  readonly lag: number
  readonly detail: string | null
  readonly deadLetters: number
}

export type Readiness = {
  readonly ready: boolean
  /** Why not, for people; empty when ready. */
  readonly reasons: readonly string[]
  readonly store: 'ok' | 'failing'
  readonly registrations: readonly RegistrationView[]
  readonly sinks: readonly SinkView[]
}
