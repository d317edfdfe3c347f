// What a store offers for being copied into another one, whatever either is made of: its tables as
// plain rows, and the log as events with their numbers. Types only.
import type { StoredEvent } from '../core/events/snapshot-event.ts'

/** What is carried as rows; the last six only together with the log, since they are about it. */
export type CopiedTable =
  | 'rings'
  | 'tallies'
  | 'expired'
  | 'dead_letters'
  | 'cursors'
  | 'streams'
  | 'replays'
  | 'audits'
  | 'audit_not_taking'
  | 'audit_gaps'
  | 'backfills'

export type CopiedValue = string | number | boolean | Uint8Array | null
/** By the names of the columns; numbers are whole, and up to 2^53. */
export type CopiedRow = Readonly<Record<string, CopiedValue>>

export type CopiedPage = {
  readonly rows: readonly CopiedRow[]
  /** Where the next page begins, or null where there is none. */
  readonly next: number | null
}

/** What a store notes of a copy into it. Nobody serves on one that has not ended. */
export type CopyMark = {
  /** The name of the store that it comes from, without a login. */
  readonly source: string
  readonly withEvents: boolean
  /** Epoch ms. */
  readonly startedAt: number
  /** Epoch ms; null until it is complete. */
  readonly endedAt: number | null
  /** Events of the source that are not there, since one with the same identity is. */
  readonly doubles: number
}

/** What a store holds. */
export type CopySurvey = {
  readonly rows: Readonly<Record<CopiedTable | 'events', number>>
  /** The oldest event that is kept, or the next one where there is none. */
  readonly firstSeq: number
  /** The newest event that is kept; 0 where there is none. */
  readonly newestSeq: number
  /** The highest number that was given out. */
  readonly lastSeq: number
  readonly receivingSeconds: number
  readonly copied: CopyMark | null
}

/** The numbers that a copy ends with. */
export type CopyEnd = Pick<CopySurvey, 'lastSeq' | 'receivingSeconds'> & {
  /** Epoch ms. */
  readonly at: number
}

/** A store that is copied from. */
export interface CopySource {
  /** Without a login. */
  readonly name: string
  /** Who serves on it, in words; null: nobody, as far as it can be known. */
  servedBy(): Promise<string | null>
  survey(): Promise<CopySurvey>
  /** Counts the streams of what is in the log, where that is not done yet. */
  countStreams(): Promise<void>
  readEvents(after: number, limit: number): Promise<StoredEvent[]>
  /** A page from 0 on, or from where the last one says. */
  readRows(table: CopiedTable, from: number, limit: number): Promise<CopiedPage>
  close(): Promise<void>
}

/** A store that is copied into. What is written may be on disk only when `finish` is through. */
export interface CopyTarget extends Omit<CopySource, 'countStreams' | 'readRows'> {
  /** Notes that a copy is under way, whose events begin at `firstSeq`. */
  begin(mark: CopyMark, firstSeq: number): Promise<void>
  /** Empties all tables but the log. */
  clear(): Promise<void>
  /** Adds events, which come in order. */
  writeEvents(events: readonly StoredEvent[]): Promise<void>
  writeRows(table: CopiedTable, rows: readonly CopiedRow[]): Promise<void>
  /** Has the log begin at `firstSeq`. */
  trim(firstSeq: number): Promise<void>
  /** Has the numbers go on as in the source, notes the end, and has all of it on disk. */
  finish(end: CopyEnd): Promise<void>
}
