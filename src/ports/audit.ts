// What the audit needs of the provider and of the store, in its own words. Types only. Times are
// epoch ms; a range is half open.
import type { GivenName, KeptColumns } from '../core/audit/kept-columns.ts'
import type { Range } from '../core/audit/ranges.ts'
import type { KeptShot, ListedShot, Push, StreamName } from '../core/audit/shots.ts'
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

/** A place in the order of time. */
export type EventPlace = Pick<StoredEvent, 'occurredAt' | 'id'>

/** Events of a domain that occurred in the range, by time, from behind a place on. */
export type KeptQuery = {
  readonly domain: string
  readonly range: Range
  readonly after: EventPlace | null
}

/** How far a reading has come. */
export type KeptStep = {
  /** Where to go on; null at the end. */
  readonly next: EventPlace | null
  /** How long the store was at work. */
  readonly seconds: number
}

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
  /**
   * What is kept, as far as holes show in it. A call does a few milliseconds' work and holds up no
   * append, and so does the next one.
   */
  surveyKept(query: KeptQuery): Promise<KeptStep & { readonly columns: KeptColumns }>
  /** What is kept, but for some names. */
  readKept(
    query: KeptQuery & { readonly except: readonly GivenName[] },
  ): Promise<KeptStep & { readonly shots: readonly KeptShot[] }>
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
