// What the audit needs of the provider and of the store, in its own words. Types only. Times are
// epoch ms; a range is half open.
import type { Range } from '../core/audit/ranges.ts'
import type { ListedShot, Push, StreamName } from '../core/audit/shots.ts'
import type { GapReason } from '../core/audit/state.ts'
import type { NewEvent, StoredEvent } from '../core/events/snapshot-event.ts'

/** What the provider lists of the past; it rejects as `LiveApi` does. */
export interface SnapshotLists {
  /** The pushes that were active in the range; a stream may be pushed more than once. */
  pushes(domain: string, range: Range, signal: AbortSignal): Promise<Push[]>
  /** All entries of one stream around the range; none where there is no such stream. */
  shots(
    stream: StreamName & { readonly domain: string },
    range: Range,
    signal: AbortSignal,
  ): Promise<ListedShot[]>
}

/** A range of time that was looked at and not filled, or not looked at. */
export type AuditGap = Range & {
  readonly reason: GapReason
  /** Shots that are known to be missing in it. */
  readonly missed: number
}

export type AuditRecord = {
  readonly domain: string
  /** The first start with this domain. */
  readonly since: number
  readonly auditedUntil: number
  /** Whether the last judgement was a doubt: it outlives a restart. */
  readonly isDoubtful: boolean
  /** When no callbacks of the domain were taken. */
  readonly notTaking: readonly Range[]
  /** The latest, the last one first. */
  readonly gaps: readonly AuditGap[]
}

export type BackfillRequest = Range & {
  readonly domain: string
  /** `app/stream`, or the stream of any app; null for all. */
  readonly stream: string | null
}

export type BackfillCounts = {
  readonly listed: number
  readonly missed: number
  readonly filled: number
}

export type Backfill = BackfillRequest &
  BackfillCounts & {
    readonly id: number
    readonly requestedAt: number
    /** What comes before is done. */
    readonly doneUntil: number
    /** Null while it goes on. */
    readonly endedAt: number | null
    readonly cancelled: boolean
    /** Why it does not go on, or what it could not do; null where all is well. */
    readonly problem: string | null
  }

/** How far a look has come, committed with the events that it has found. */
export type AuditProgress =
  | {
      readonly kind: 'audit'
      readonly domain: string
      readonly auditedUntil: number
      readonly isDoubtful: boolean
      /** To be remembered; joined with the one before it where the reason is the same. */
      readonly gap: AuditGap | null
    }
  | {
      readonly kind: 'backfill'
      readonly id: number
      readonly doneUntil: number
      /** To be added; what is filled the commit counts by itself. */
      readonly listed: number
      readonly missed: number
      readonly isEnd: boolean
      readonly problem: string | null
    }

/** A place in the order of `readBetween`. */
export type EventPlace = Pick<StoredEvent, 'occurredAt' | 'id'>

export interface AuditStore {
  /**
   * Callbacks of these domains are taken from `at` on. The time since that was last noted becomes a
   * range in which none were; a domain that is new is audited from `at` on.
   */
  beginTaking(domains: readonly string[], at: number): Promise<void>
  /** Callbacks of these domains are still taken. */
  noteTaking(domains: readonly string[], at: number): Promise<void>
  /** No callbacks of a domain were taken in the range. */
  noteNotTaking(domain: string, range: Range): Promise<void>
  /** Null for a domain that never was in the settings of a running service. */
  loadAudit(domain: string): Promise<AuditRecord | null>
  /** Events of a domain that occurred in the range, by time: up to `limit`, after a place. */
  readBetween(
    domain: string,
    range: Range,
    limit: number,
    after: EventPlace | null,
  ): Promise<StoredEvent[]>
  /** Commits events and progress: both or neither. Returns how many events were not there yet. */
  fill(events: readonly NewEvent[], progress: AuditProgress): Promise<number>
  requestBackfill(request: BackfillRequest): Promise<number>
  /** The first one of a domain that has not ended, or null. */
  nextBackfill(domain: string): Promise<Backfill | null>
  /** The latest, the last one first. */
  listBackfills(): Promise<readonly Backfill[]>
  /** Whether there was one under way with this number. */
  cancelBackfill(id: number): Promise<boolean>
}
