// The event log in SQL. Synchronous; the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'
import type { NewEvent, StoredEvent } from '../../../core/events/snapshot-event.ts'
import type { EventPlace, KeptQuery } from '../../../ports/audit.ts'
import type { Appended } from '../../../ports/store.ts'

/** The bounds of one step of a walk by time: the caller goes on after others had their turn. */
const WALK_EVENTS = 1_024
const WALK_MS = 8
const WALK_LOOK_EVENTS = 64

/** No read goes further, in bytes of bodies, so that it never keeps commits waiting for long. */
const MAX_READ_BYTES = 8 * 1024 * 1024

export type LogStats = { readonly events: number; readonly lastSeq: number }

export type SqlEventLog = ReturnType<typeof createEventLog>

export function createEventLog(db: DatabaseSync) {
  const find = db.prepare(`
    select seq from events where occurred_at = ? and id = unhex(?)
  `)
  const insert = db.prepare(`
    insert into events (id, occurred_at, domain, origin, received_at, body)
    values (unhex(?), ?, ?, ?, ?, ?)
  `)
  const insertNext = db.prepare(`
    insert into events (seq, id, occurred_at, domain, origin, received_at, body, counted)
    values (?, unhex(?), ?, ?, ?, ?, ?, 1)
    on conflict (occurred_at, id) do nothing
  `)
  const selectLast = db.prepare(`
    select max(
      coalesce((select seq from sqlite_sequence where name = 'events'), 0),
      coalesce((select max(seq) from events), 0)
    ) as seq
  `)
  const setLast = db.prepare(`
    update sqlite_sequence set seq = ? where name = 'events'
  `)
  const addCount = db.prepare(`
    update counters set value = value + ? where name = 'events'
  `)
  const select = db.prepare(`
    select seq, lower(hex(id)) as id, domain, origin, received_at as receivedAt,
      occurred_at as occurredAt, body
    from events where seq > ? order by seq limit ?
  `)
  // In half of the time that rows with names take.
  select.setReturnArrays(true)
  // By the index of identities: it begins with the time.
  const selectBetween = db.prepare(`
    select seq, domain, origin, received_at as receivedAt, occurred_at as occurredAt, body
    from events
    where (occurred_at, id) > (?, unhex(?)) and occurred_at < ? and domain = ?
    order by occurred_at, id limit ${WALK_EVENTS}
  `)
  const selectPlace = db.prepare(`
    select occurred_at as occurredAt, lower(hex(id)) as id from events where seq = ?
  `)
  const count = db.prepare(`
    select
      (select value from counters where name = 'events') as events,
      coalesce((select seq from sqlite_sequence where name = 'events'), 0) as lastSeq
  `)

  return {
    /** Adds an event, or finds it. */
    append(event: NewEvent): Appended {
      const { id, occurredAt, domain, origin, receivedAt, body } = event
      // Looked for first: a refused insert would use up a seq, and the lag of a sink count it.
      const found = find.get(occurredAt, id)
      if (found !== undefined) return { seq: Number(found.seq), duplicate: true }
      const added = insert.run(id, occurredAt, domain, origin, receivedAt, body)
      return { seq: Number(added.lastInsertRowid), duplicate: false }
    },

    /** Adds the events of one transaction, cheaper each; nobody else appends before its `end`. */
    group() {
      const before = Number(selectLast.get()?.seq)
      let last = before
      let tried = 0
      return {
        append(event: NewEvent): Appended {
          const { id, occurredAt, domain, origin, receivedAt, body } = event
          tried += 1
          const its = [id, occurredAt, domain, origin, receivedAt, body] as const
          const { changes } = insertNext.run(last + 1, ...its)
          if (Number(changes) > 0) return { seq: ++last, duplicate: false }
          return { seq: Number(find.get(occurredAt, id)?.seq), duplicate: true }
        },
        end(): void {
          if (last > before) addCount.run(last - before)
          // A refused insert uses up a number, and the lag of a sink would count it.
          if (tried > last - before) setLast.run(last)
        },
      }
    },

    /** Events above `after`, in order: as many as are wanted, and at least one if there is any. */
    read(after: number, limit: number, maxBytes = MAX_READ_BYTES): StoredEvent[] {
      const events: StoredEvent[] = []
      let bytes = 0
      for (const row of select.iterate(after, limit)) {
        const event = eventIn(row as unknown as EventRow)
        bytes += event.body.byteLength
        if (events.length > 0 && bytes > Math.min(maxBytes, MAX_READ_BYTES)) break
        events.push(event)
      }
      return events
    },

    /** Shows events of a domain that occurred in a range, by time. Returns where to go on. */
    walk(
      { domain, range, after }: KeptQuery,
      visit: (event: Omit<StoredEvent, 'id'>) => void,
    ): EventPlace | null {
      const { occurredAt, id } = after ?? { occurredAt: range.from, id: '' }
      const endsAt = performance.now() + WALK_MS
      let walked = 0
      for (const row of selectBetween.iterate(occurredAt, id, range.until, domain)) {
        const event = row as Omit<StoredEvent, 'id'>
        visit(event)
        walked += 1
        const isLate = walked % WALK_LOOK_EVENTS === 0 && performance.now() >= endsAt
        if (isLate || walked === WALK_EVENTS) return selectPlace.get(event.seq) as EventPlace
      }
      return null
    },

    stats: () => ({ ...count.get() }) as LogStats,
  }
}

/** An event as an array of its columns. */
export type EventRow = [
  seq: number,
  id: string,
  domain: string,
  origin: StoredEvent['origin'],
  receivedAt: number,
  occurredAt: number,
  body: Uint8Array,
]

export function eventIn(row: EventRow): StoredEvent {
  const [seq, id, domain, origin, receivedAt, occurredAt, body] = row
  return { seq, id, domain, origin, receivedAt, occurredAt, body }
}
