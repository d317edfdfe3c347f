// What the log has of streams and their tables don't yet, for one who only reads: streams as of the
// end of the log, in a table of this connection alone. Synchronous.
import type { DatabaseSync } from 'node:sqlite'
import { intervalOf } from '../../../core/events/stream-state.ts'
import { createStreamMemory, type SeenEvent } from './stream-memory.ts'

/**
 * No writer leaves so many behind. Where an earlier version did, or another program, streams are shown
 * as of here until the service has counted the rest.
 */
const MAX_EVENTS = 16_384

/** Fill and read it in one transaction. */
export function createStreamTail(db: DatabaseSync) {
  // In memory: whoever only looks may not have a folder to write to.
  db.exec(`
    pragma temp_store = memory;
    create temp table stream_tail (
      id integer primary key,
      domain text not null,
      app text not null,
      stream text not null,
      events integer not null,
      seq integer not null,
      seen_at integer not null,
      first_seen_at integer not null,
      interval_ms integer
    ) strict;
  `)
  const memory = createStreamMemory(db)
  const selectMarks = db.prepare(`
    select
      (select value from counters where name = 'streams_counted') as counted,
      (select value from counters where name = 'streams_to_fill') as toFill
  `)
  const select = db.prepare(`
    select seq, domain, origin, received_at as receivedAt, occurred_at as occurredAt, body
    from events where seq > ? order by seq limit ?
  `)
  const clear = db.prepare('delete from temp.stream_tail')
  const upsert = db.prepare(`
    insert or replace into temp.stream_tail
      (id, domain, app, stream, events, seq, seen_at, first_seen_at, interval_ms)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?)
  `)
  let marks = ''
  let from = 0
  let upTo = 0
  /** Streams without rows have numbers below 0 here. */
  let fresh = 0

  return {
    /** Brings the table to the end of the log. */
    fill(): void {
      const { counted, toFill } = selectMarks.get() as { counted: number; toFill: number }
      // Once the tables were written they say more than we remember.
      if (marks !== `${counted} ${toFill}`) {
        marks = `${counted} ${toFill}`
        memory.forget()
        clear.run()
        from = counted
        upTo = counted
      }
      for (const row of select.iterate(upTo, MAX_EVENTS - (upTo - from))) {
        const { seq, ...event } = row as SeenEvent & { seq: number }
        memory.note(event, seq)
        upTo = seq
      }
      for (const each of memory.takeChanged()) {
        each.id ??= --fresh
        const { id, domain, app, stream, events, seq, seenAt, firstSeenAt, gaps } = each
        const times = [seenAt, firstSeenAt, intervalOf(gaps)] as const
        upsert.run(id, domain, app, stream, events, seq, ...times)
      }
    },

    /** After a transaction that was rolled back. */
    forget(): void {
      marks = ''
    },
  }
}
