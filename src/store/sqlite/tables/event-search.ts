// Events by filter, in SQL. Synchronous. A filter may match next to nothing, so the log is gone
// through in slices of seqs, and a call ends where its share of work is done: with where to go on.
import type { DatabaseSync } from 'node:sqlite'
import type { StoredEvent } from '../../../core/events/snapshot-event.ts'
import type { EventPage, EventQuery, LogRange } from '../../../ports/reading.ts'
import { gatherPage, partOfBody, withoutSeen } from '../../event-page.ts'
import { type EventRow, eventIn } from './event-log.ts'

/** Seqs of one statement: its rows are looked at in a millisecond or two. */
const SLICE = 512
/** What one call looks at, at most: other readers wait for it, on the same thread. */
const MAX_SCANNED = 32_768
const MAX_SCAN_MS = 40
/** Times of receipt follow the seqs but for a clock that was set; so far they may be off, in ms and in seqs. */
const CLOCK_SLACK_MS = 60_000
const CLOCK_SLACK_SEQS = 4 * SLICE
/** Entries of the index by identity that one step looks at. */
const INDEX_STEP = 20_000

export type IndexPosition = { readonly occurredAt: number; readonly id: string }
export type IdLookup =
  | { readonly found: StoredEvent | null }
  /** Not among those looked at: go on from here. */
  | { readonly goOn: IndexPosition }

export function createEventSearch(db: DatabaseSync) {
  const columns = `
    seq, lower(hex(id)) as id, domain, origin, received_at as receivedAt,
    occurred_at as occurredAt, body
  `
  const selectSlice = (direction: 'asc' | 'desc') => {
    const statement = db.prepare(`
      select ${columns} from events
      where seq >= ? and seq <= ?
        and (?3 is null or domain = ?3) and (?4 is null or origin = ?4)
        and (?5 is null or received_at >= ?5) and (?6 is null or received_at < ?6)
        and (?7 is null or instr(body, ?7) > 0 or instr(body, x'5c75') > 0)
      order by seq ${direction}
    `)
    // In half of the time that rows with names take.
    statement.setReturnArrays(true)
    return statement
  }
  const slices = { asc: selectSlice('asc'), desc: selectSlice('desc') }
  const selectRange = db.prepare(`
    select
      (select min(seq) from events) as oldest,
      coalesce((select seq from sqlite_sequence where name = 'events'), 0) as last
  `)
  const selectAt = db.prepare(`
    select seq, received_at as receivedAt from events where seq >= ? order by seq limit 1
  `)
  const selectBySeq = db.prepare(`
    select ${columns} from events where seq = ? and id = unhex(?)
  `)
  const selectInIndex = db.prepare(`
    select seq from (
      select seq, id from events where (occurred_at, id) < (?, ?)
      order by occurred_at desc, id desc limit ${INDEX_STEP}
    ) where id = unhex(?)
  `)
  const selectStepEnd = db.prepare(`
    select occurred_at as occurredAt, lower(hex(id)) as id from events
    where (occurred_at, id) < (?, ?)
    order by occurred_at desc, id desc limit 1 offset ${INDEX_STEP - 1}
  `)

  function range(): LogRange {
    const { oldest, last } = selectRange.get() as { oldest: number | null; last: number }
    return { first: oldest ?? last + 1, last }
  }

  /** The first seq from which on events were received at `time` or later, about. */
  function seqAt(time: number, { first, last }: LogRange): number {
    let low = first
    let high = last + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = selectAt.get(middle) as { seq: number; receivedAt: number } | undefined
      if (row === undefined || row.receivedAt >= time) high = middle
      else low = row.seq + 1
    }
    return low
  }

  function bounds(query: EventQuery, kept: LogRange): LogRange {
    const { since, until, upTo = kept.last } = query
    let first = kept.first
    let last = Math.min(kept.last, upTo)
    if (since !== null) {
      const early = seqAt(since - CLOCK_SLACK_MS, kept)
      first = Math.max(first, early, seqAt(since, kept) - CLOCK_SLACK_SEQS)
    }
    if (until !== null) {
      const late = seqAt(until + CLOCK_SLACK_MS, kept) - 1
      last = Math.min(last, late, seqAt(until, kept) + CLOCK_SLACK_SEQS)
    }
    return withoutSeen({ first, last }, query)
  }

  return {
    range,

    /** One page; see `EventReading`. */
    find(query: EventQuery): EventPage {
      const { order, domain, origin, since, until } = query
      const kept = range()
      const { first, last } = bounds(query, kept)
      const page = gatherPage(query, kept, { first, last })
      const part = partOfBody(query)
      const deadline = performance.now() + MAX_SCAN_MS
      for (let scanned = 0; scanned <= last - first; scanned += SLICE) {
        const from = order === 'asc' ? first + scanned : Math.max(first, last - scanned - SLICE + 1)
        const to = order === 'asc' ? Math.min(last, from + SLICE - 1) : last - scanned
        for (const row of slices[order].iterate(from, to, domain, origin, since, until, part)) {
          const full = page.take(eventIn(row as unknown as EventRow))
          if (full !== undefined) return full
        }
        if (scanned + SLICE >= MAX_SCANNED || performance.now() > deadline) {
          return page.upTo(order === 'asc' ? to : from)
        }
      }
      return page.upTo(order === 'asc' ? last : first)
    },

    /** The event of an id, where its seq is known. */
    findAt(id: string, seq: number): StoredEvent | null {
      return (selectBySeq.get(seq, id) as StoredEvent | undefined) ?? null
    },

    /** A step of a look through the index, from the latest on: an id alone does not say where it is. */
    findById(id: string, from: IndexPosition | null): IdLookup {
      const start =
        from === null
          ? [Number.MAX_SAFE_INTEGER, Buffer.alloc(0)]
          : [from.occurredAt, Buffer.from(from.id, 'hex')]
      const found = selectInIndex.get(...start, id)
      if (found !== undefined) {
        return {
          found: (selectBySeq.get(Number(found.seq), id) as StoredEvent | undefined) ?? null,
        }
      }
      const end = selectStepEnd.get(...start) as IndexPosition | undefined
      return end === undefined ? { found: null } : { goOn: { ...end } }
    },
  }
}
