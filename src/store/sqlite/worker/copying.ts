// A store as the source or the target of a copy, in SQL: tables as rows, the log with its numbers.
// Synchronous; statements are prepared when they are first used, since a service never needs them.
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { StoredEvent } from '../../../core/events/snapshot-event.ts'
import { ServiceError } from '../../../errors.ts'
import type {
  CopiedPage,
  CopiedRow,
  CopiedTable,
  CopiedValue,
  CopyEnd,
  CopyMark,
  CopySurvey,
} from '../../../ports/copy.ts'
import { COPIED_TABLES, TABLES } from '../../copied-tables.ts'
import { type StoredColumns, unpackStored } from '../messages.ts'
import { detailOf } from '../streams/stream-details.ts'
import { bytesOfGaps, gapsOf } from '../streams/stream-memory.ts'

/** Columns that have another name here. */
const OTHER_NAMES: Partial<Record<CopiedTable, Readonly<Record<string, string>>>> = {
  replays: { rejected: 'refused' },
}
/** Latest shots as they are shown: from their event, or as noted when that went. */
const SELECT_STREAMS = `
  select domain, app, stream, events, first_seen_at, stream_states.seq as seq,
    lower(hex(event_id)) as event_id, bucket, endpoint, object, captured_at, received_at,
    shot_at, seen_at, interval_ms, gaps
  from streams join stream_states using (id)
  order by domain, app, stream limit ? offset ?
`

export function createCopying(db: DatabaseSync, write: <T>(work: () => T) => T) {
  const prepared = new Map<string, StatementSync>()
  const sql = (statement: string): StatementSync => {
    const known = prepared.get(statement) ?? db.prepare(statement)
    prepared.set(statement, known)
    return known
  }
  const rowsOf = (table: string) => Number(sql(`select count(*) as n from ${table}`).get()?.n)

  return {
    copySurvey(): CopySurvey {
      const rows = Object.fromEntries(
        ['events' as const, ...TABLES].map((table) => [table, rowsOf(table)]),
      ) as CopySurvey['rows']
      const log = sql(`
        select min(seq) as first, coalesce(max(seq), 0) as newest,
          coalesce((select seq from sqlite_sequence where name = 'events'), 0) as last,
          (select value from counters where name = 'receiving_seconds') as receiving
        from events
      `).get()
      const lastSeq = Number(log?.last)
      return {
        rows,
        firstSeq: Number(log?.first ?? lastSeq + 1),
        newestSeq: Number(log?.newest),
        lastSeq,
        receivingSeconds: Number(log?.receiving),
        copied: readMark(db),
      }
    },

    copyRead(wanted: { table: CopiedTable; from: number; limit: number }): CopiedPage {
      const { table, from, limit } = wanted
      if (table === 'streams') return pageOf(readStreams(from, limit), from, limit)
      const { order } = COPIED_TABLES[table]
      const columns = namesOf(table).join(', ')
      if (order === 'added') {
        const read = sql(
          `select rowid as added, ${columns} from ${table} where rowid > ? order by rowid limit ?`,
        ).all(from, limit)
        const next = read.length < limit ? null : Number(read.at(-1)?.added)
        return { rows: read.map((row) => toRow(table, row)), next }
      }
      const read = sql(
        `select ${columns} from ${table} order by ${order.join(', ')} limit ? offset ?`,
      ).all(limit, from)
      return pageOf(
        read.map((row) => toRow(table, row)),
        from,
        limit,
      )
    },

    copyBegin({ source, withEvents, startedAt }: CopyMark): void {
      write(() =>
        sql(`insert into copies (one, source, with_events, started_at) values (1, ?, ?, ?)`).run(
          ...[source, Number(withEvents), startedAt],
        ),
      )
    },

    copyClear(): void {
      write(() => {
        for (const table of ['stream_states', ...TABLES]) sql(`delete from ${table}`).run()
      })
    },

    copyEvents(given: StoredColumns): void {
      // Two with one identity can be in a log that forgets identities: the first one stays.
      const insert = sql(`
        insert into events (seq, id, occurred_at, domain, origin, received_at, body)
        values (?, unhex(?), ?, ?, ?, ?, ?) on conflict do nothing
      `)
      const note = sql('update copies set doubles = doubles + ?')
      write(() => {
        let doubles = 0
        for (const event of unpackStored(given)) {
          const { seq, id, occurredAt, domain, origin, receivedAt, body } = event
          const { changes } = insert.run(seq, id, occurredAt, domain, origin, receivedAt, body)
          if (changes === 0) doubles += 1
        }
        if (doubles > 0) note.run(doubles)
      })
    },

    copyWrite({ table, rows }: { table: CopiedTable; rows: readonly CopiedRow[] }): void {
      write(() => {
        if (table === 'streams') return writeStreams(rows)
        const names = Object.keys(COPIED_TABLES[table].columns)
        const own = names.map((name) => OTHER_NAMES[table]?.[name] ?? name)
        const insert = sql(
          `insert into ${table} (${own.join(', ')}) values (${own.map(() => '?').join(', ')})`,
        )
        for (const row of rows) insert.run(...names.map((name) => toSql(row[name])))
      })
    },

    copyTrim(firstSeq: number): void {
      write(() => sql('delete from events where seq < ?').run(firstSeq))
    },

    copyFinish({ lastSeq, receivingSeconds, at }: CopyEnd): void {
      write(() => {
        sql(`delete from sqlite_sequence where name = 'events'`).run()
        sql(`insert into sqlite_sequence (name, seq) values ('events', ?)`).run(lastSeq)
        sql(`update counters set value = ? where name = 'receiving_seconds'`).run(receivingSeconds)
        sql(`update counters set value = ? where name = 'streams_counted'`).run(lastSeq)
        sql('update copies set ended_at = ?').run(at)
      })
    },
  }

  function readStreams(from: number, limit: number): CopiedRow[] {
    const find = sql(`
      select seq, lower(hex(id)) as id, domain, origin, received_at as receivedAt,
        occurred_at as occurredAt, body
      from events where seq = ?
    `)
    return sql(SELECT_STREAMS)
      .all(limit, from)
      .map(({ ...row }) => {
        const { interval_ms: interval, gaps: bytes } = row
        const gaps = gapsOf(bytes as Uint8Array | null, interval as number | null).join(',')
        const event = find.get(Number(row.seq)) as StoredEvent | undefined
        if (event === undefined) return { ...(row as CopiedRow), gaps }
        const { capturedAt: captured_at, ...names } = detailOf(event)
        return {
          ...(row as CopiedRow),
          ...{ ...names, captured_at, gaps, event_id: event.id, received_at: event.receivedAt },
        }
      })
  }

  function writeStreams(rows: readonly CopiedRow[]): void {
    const insert = sql(`
      insert into streams (domain, app, stream, first_seen_at, noted_seq, event_id, bucket, endpoint,
        object, captured_at, received_at)
      values (?, ?, ?, ?, ?, unhex(?), ?, ?, ?, ?, ?)
    `)
    const insertState = sql(`
      insert into stream_states (id, seq, events, shot_at, seen_at, interval_ms, gaps)
      values (?, ?, ?, ?, ?, ?, ?)
    `)
    for (const row of rows) {
      const its = (...names: string[]) => names.map((name) => toSql(row[name]))
      const { lastInsertRowid } = insert.run(
        ...its('domain', 'app', 'stream', 'first_seen_at', 'seq', 'event_id', 'bucket'),
        ...its('endpoint', 'object', 'captured_at', 'received_at'),
      )
      const state = its('seq', 'events', 'shot_at', 'seen_at', 'interval_ms')
      const gaps = String(row.gaps).split(',').filter(Boolean).map(Number)
      insertState.run(lastInsertRowid, ...state, bytesOfGaps(gaps))
    }
  }
}

/** Refuses a store into which a copy is under way, for all but the copy itself. */
export function refuseUnfinishedCopy(db: DatabaseSync, path: string): void {
  const mark = readMark(db)
  if (mark === null || mark.endedAt !== null) return
  throw new ServiceError(
    `The store ${path} holds an unfinished copy of ${mark.source}: go on with copy-store, or delete it.`,
    { code: 'store_unavailable' },
  )
}

function readMark(db: DatabaseSync): CopyMark | null {
  const row = db
    .prepare(
      `select source, with_events as withEvents, started_at as startedAt, ended_at as endedAt, doubles
       from copies`,
    )
    .get()
  if (row === undefined) return null
  return { ...(row as unknown as CopyMark), withEvents: row.withEvents === 1 }
}

function namesOf(table: CopiedTable): string[] {
  return Object.keys(COPIED_TABLES[table].columns).map((name) => {
    const own = OTHER_NAMES[table]?.[name]
    return own === undefined ? name : `${own} as ${name}`
  })
}

function toRow(table: CopiedTable, row: Record<string, SQLOutputValue>): CopiedRow {
  const kinds = Object.entries(COPIED_TABLES[table].columns)
  return Object.fromEntries(
    kinds.map(([name, kind]) => {
      const value = row[name] as CopiedValue
      return [name, kind === 'boolean' ? value === 1 : value]
    }),
  )
}

function toSql(value: CopiedValue | undefined): SQLInputValue {
  return typeof value === 'boolean' ? Number(value) : (value ?? null)
}

function pageOf(rows: readonly CopiedRow[], from: number, limit: number): CopiedPage {
  return { rows, next: rows.length < limit ? null : from + limit }
}
