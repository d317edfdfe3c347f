// The tables that a copy carries from one kind of store to another, with the columns that both have.
// What is not here: the log, which is copied by itself; the time spent receiving, a single number; and
// what is about running replicas (leases, peers), or made anew (partitions, counters).
import type { CopiedTable } from '../ports/copy.ts'

export type ColumnKind = 'text' | 'integer' | 'boolean' | 'bytes'

export type TableSpec = {
  readonly columns: Readonly<Record<string, ColumnKind>>
  /** By what its rows are read: `added` is the order in which they were. */
  readonly order: readonly string[] | 'added'
  /** Whose numbers go on after the highest one. */
  readonly numbered?: 'id'
}

const AUDIT_RANGE = { domain: 'text', from_at: 'integer', until_at: 'integer' } as const

export const COPIED_TABLES: Readonly<Record<CopiedTable, TableSpec>> = {
  // The content as it is: foreign keys stay sealed, also under a secret that is not at hand.
  rings: { order: ['domain'], columns: { domain: 'text', revision: 'integer', content: 'text' } },
  tallies: {
    order: ['domain'],
    columns: { domain: 'text', last_callback_at: 'integer', unsigned: 'integer' },
  },
  expired: {
    order: ['sink', 'reason', 'from_seq'],
    columns: {
      ...{ sink: 'text', reason: 'text', from_seq: 'integer', to_seq: 'integer' },
      ...{ count: 'integer', expired_at: 'integer' },
    },
  },
  // The oldest death goes first where room is short.
  dead_letters: {
    order: 'added',
    columns: {
      ...{ sink: 'text', seq: 'integer', id: 'bytes', occurred_at: 'integer', domain: 'text' },
      ...{ origin: 'text', received_at: 'integer', body: 'bytes', reason: 'text' },
      ...{ attempts: 'integer', died_at: 'integer', retry_requested: 'boolean' },
    },
  },
  cursors: {
    order: ['sink'],
    columns: { sink: 'text', seq: 'integer', updated_at: 'integer' },
  },
  streams: {
    order: ['domain', 'app', 'stream'],
    columns: {
      ...{ domain: 'text', app: 'text', stream: 'text', events: 'integer' },
      ...{ first_seen_at: 'integer', seq: 'integer', event_id: 'text', bucket: 'text' },
      ...{ endpoint: 'text', object: 'text', captured_at: 'integer', received_at: 'integer' },
      ...{ shot_at: 'integer', seen_at: 'integer', interval_ms: 'integer', gaps: 'text' },
    },
  },
  replays: {
    order: ['id'],
    numbered: 'id',
    columns: {
      ...{ id: 'integer', sink: 'text', since: 'integer', until: 'integer', domain: 'text' },
      ...{ stream: 'text', requested_at: 'integer', next_seq: 'integer', last_seq: 'integer' },
      ...{ delivered: 'integer', rejected: 'integer', ended_at: 'integer', cancelled: 'boolean' },
    },
  },
  audits: {
    order: ['domain'],
    columns: {
      ...{ domain: 'text', since: 'integer', audited_until: 'integer', taking_until: 'integer' },
      is_doubtful: 'boolean',
    },
  },
  audit_not_taking: { order: ['domain', 'from_at'], columns: AUDIT_RANGE },
  audit_gaps: {
    order: ['domain', 'from_at', 'reason'],
    columns: { ...AUDIT_RANGE, reason: 'text', missed: 'integer' },
  },
  backfills: {
    order: ['id'],
    numbered: 'id',
    columns: {
      ...{ id: 'integer', domain: 'text', stream: 'text', from_at: 'integer', until_at: 'integer' },
      ...{ requested_at: 'integer', done_until: 'integer', listed: 'integer', missed: 'integer' },
      ...{ filled: 'integer', problem: 'text', ended_at: 'integer', cancelled: 'boolean' },
    },
  },
}

export const TABLES = Object.keys(COPIED_TABLES) as readonly CopiedTable[]
