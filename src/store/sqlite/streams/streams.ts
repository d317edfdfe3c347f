// The latest shot of each stream, in SQL. Synchronous; the caller holds the transaction. An append
// writes nothing of it: the log says all, so what came since the tables were written is remembered,
// and written once for many commits. Where the memory is lost, it is counted from the log again.
import type { DatabaseSync } from 'node:sqlite'
import type { StoredEvent } from '../../../core/events/snapshot-event.ts'
import { intervalOf } from '../../../core/events/stream-state.ts'
import type { Sighting } from '../messages.ts'
import { detailOf } from './stream-details.ts'
import { bytesOfGaps, createStreamMemory, type SeenEvent, type Stream } from './stream-memory.ts'

/** A body is not signed, and could name a new stream each time. Above this the longest silent go. */
const MAX_STREAMS = 100_000
/** Taken out at once, so that not every new stream costs a look at all of them. */
const MAKE_ROOM = 1_000
/** Events that the tables may lag behind the log: a reader, or a start after a crash, counts that many. */
const MAX_UNWRITTEN = 8_192
/** With fewer events the tables are written after this time, so that a reader has next to nothing to count. */
const WRITE_AFTER_MS = 1_000
/** Bytes of bodies that the tables may lag behind. */
const MAX_UNWRITTEN_BYTES = 8 * 1024 * 1024
/** Events that a start counts at once: what the tables may lag behind, and a full queue on top. */
const MAX_AT_START = 2 * MAX_UNWRITTEN
/** Events of one step of counting, where somebody waits for it. */
const STEP_EVENTS = 512
/** Bodies of one step, so that it takes milliseconds however large they are. */
const MAX_STEP_BYTES = 4 * 1024 * 1024

export type SqlStreams = ReturnType<typeof createStreams>

export function createStreams(db: DatabaseSync, maxStreams = MAX_STREAMS) {
  const memory = createStreamMemory(db)
  const insert = db.prepare(`
    insert into streams (domain, app, stream, first_seen_at) values (?, ?, ?, ?)
  `)
  const insertState = db.prepare(`
    insert into stream_states (id, events, seq, shot_at, seen_at, interval_ms, gaps)
    values (?, ?, ?, ?, ?, ?, ?)
  `)
  const updateState = db.prepare(`
    update stream_states set events = ?, seq = ?, shot_at = ?, seen_at = ?, interval_ms = ?, gaps = ?
    where id = ?
  `)
  const updateFirst = db.prepare(`
    update streams set first_seen_at = ? where id = ?
  `)
  const selectCount = db.prepare('select count(*) as count from stream_states')
  const makeRoom = db.prepare(`
    delete from stream_states where id in (select id from stream_states order by seen_at limit ?)
  `)
  const dropStateless = db.prepare(`
    delete from streams where id not in (select id from stream_states)
  `)
  const selectGoing = db.prepare(`
    select streams.id, lower(hex(events.id)) as eventId, events.seq, events.domain, events.origin,
      events.received_at as receivedAt, occurred_at as occurredAt, body
    from stream_states join streams using (id) join events using (seq)
    where seq <= ? and noted_seq < seq
  `)
  const noteDetail = db.prepare(`
    update streams set noted_seq = ?, event_id = unhex(?), bucket = ?, endpoint = ?, object = ?,
      captured_at = ?, received_at = ?
    where id = ?
  `)
  const selectLowest = db.prepare(`
    select min(seq) as seq from stream_states join streams using (id) where noted_seq < seq
  `)
  const selectMark = db.prepare('select value from counters where name = ?')
  const updateMark = db.prepare('update counters set value = ? where name = ?')
  const selectLast = db.prepare(`
    select coalesce((select seq from sqlite_sequence where name = 'events'), 0) as seq
  `)
  const selectAfter = db.prepare(`
    select seq, domain, origin, received_at as receivedAt, occurred_at as occurredAt, body
    from events where seq > ? order by seq limit ?
  `)
  const selectUpTo = db.prepare(`
    select seq, domain, origin, received_at as receivedAt, occurred_at as occurredAt, body
    from events where seq <= ? order by seq desc limit ?
  `)
  let total: number | undefined
  /** No latest shot that is not noted is below this one. */
  let lowest = 0
  /** Events up to this one are counted; undefined before the first look, and after a fault. */
  let counted: number | undefined
  /** And up to this one they are in the tables. */
  let written = 0
  let writtenAt = 0
  let unwrittenBytes = 0
  /** The log has more than may be counted at once: in steps, and what is appended waits its turn. */
  let isBehind = false

  /** Where counting is to go on: at the end of the log, unless that is far off. */
  function begin(): void {
    if (counted !== undefined) return
    written = markOf('streams_counted')
    counted = written
    isBehind = lastSeq() - written > MAX_AT_START
    if (!isBehind) catchUp()
  }

  function catchUp(): void {
    while (!countOn(STEP_EVENTS));
  }

  /** Counts what comes next in the log; whether that was all. */
  function countOn(limit: number): boolean {
    const last = lastSeq()
    const { rows, isCut } = upToBytes(selectAfter.iterate(counted ?? 0, limit))
    for (const { seq, ...event } of rows) count(event, seq)
    if (isCut || rows.length === limit) return false
    counted = last
    return true
  }

  function count(event: SeenEvent, seq: number, sighting?: Sighting): void {
    memory.note(event, seq, sighting)
    unwrittenBytes += event.body.byteLength
    counted = seq
  }

  function write(): void {
    begin()
    for (const stream of memory.takeChanged()) writeStream(stream)
    keepBounded()
    written = counted ?? 0
    writtenAt = performance.now()
    unwrittenBytes = 0
    updateMark.run(written, 'streams_counted')
  }

  function writeStream(of: Stream): void {
    const { events, seq, shotAt, seenAt, gaps, firstSeenAt } = of
    const state = [events, seq, shotAt, seenAt, intervalOf(gaps), bytesOfGaps(gaps)] as const
    if (of.id !== null) {
      updateState.run(...state, of.id)
      if (of.isEarlier) updateFirst.run(firstSeenAt, of.id)
      of.isEarlier = false
      return
    }
    of.id = Number(insert.run(of.domain, of.app, of.stream, firstSeenAt).lastInsertRowid)
    of.isEarlier = false
    insertState.run(of.id, ...state)
    if (total !== undefined) total += 1
  }

  function keepBounded(): void {
    total ??= Number(selectCount.get()?.count)
    if (total <= maxStreams) {
      memory.keepBounded()
      return
    }
    makeRoom.run(total - maxStreams + Math.min(MAKE_ROOM, Math.floor(maxStreams / 10)))
    dropStateless.run()
    total = undefined
    memory.forget()
  }

  /** Counts the newest events of a log that is older than the tables of streams. Returns whether some are left. */
  function countEarlier(limit: number): boolean {
    const { rows } = upToBytes(selectUpTo.iterate(markOf('streams_to_fill'), limit))
    for (const { seq, ...event } of rows.toReversed()) memory.note(event, seq)
    write()
    const last = rows.at(-1)?.seq ?? 1
    updateMark.run(last - 1, 'streams_to_fill')
    lowest = 0
    return last > 1
  }

  function lastSeq(): number {
    return Number(selectLast.get()?.seq)
  }

  function markOf(name: string): number {
    return Number(selectMark.get(name)?.value ?? 0)
  }

  return {
    /** Counts an event whose commit is on disk. One that was left out is found in the log. */
    note(event: SeenEvent, seq: number, sighting?: Sighting): void {
      if (counted === undefined) begin()
      else if (seq === counted + 1 && !isBehind) count(event, seq, sighting)
      else if (seq > counted && !isBehind) catchUp()
    },

    /** Whether it is time to `write`. */
    isDue(): boolean {
      if (counted === undefined || isBehind || counted === written) return false
      if (counted - written >= MAX_UNWRITTEN || unwrittenBytes >= MAX_UNWRITTEN_BYTES) return true
      return performance.now() - writtenAt >= WRITE_AFTER_MS
    },

    /** Writes what is remembered. Call `forget` if the transaction fails. */
    write,

    /** One step of writing, or of counting events that were not counted as they came. Returns whether some are left. */
    fill(limit: number): boolean {
      begin()
      if (!isBehind && markOf('streams_to_fill') > 0) return countEarlier(limit)
      isBehind = !countOn(limit)
      if (counted !== written) write()
      return isBehind || markOf('streams_to_fill') > 0
    },

    /** Before events up to `seq` go: they are counted, and the latest shot of a stream is noted there. */
    noteBeforeRemoval(seq: number): void {
      begin()
      if (!isBehind) catchUp()
      while (isBehind && (counted ?? 0) < seq) isBehind = !countOn(STEP_EVENTS)
      if (seq > written) write()
      if (seq < lowest) return
      for (const row of selectGoing.all(seq)) {
        const { id, eventId, ...event } = row as unknown as StoredEvent & { eventId: string }
        const { bucket, endpoint, object, capturedAt } = detailOf({ ...event, id: eventId })
        const at = [capturedAt, event.receivedAt] as const
        noteDetail.run(event.seq, eventId, bucket, endpoint, object, ...at, Number(id))
      }
      lowest = Math.min(Number(selectLowest.get()?.seq ?? written + 1), written + 1)
    },

    /** After a transaction that was rolled back, or a fault: the tables and the log say what is so. */
    forget(): void {
      memory.forget()
      counted = undefined
      total = undefined
      lowest = 0
    },
  }
}

type LogRow = SeenEvent & { readonly seq: number }

/** The first rows, until their bodies are too large for one step: at least one. */
function upToBytes(found: Iterable<unknown>): { rows: LogRow[]; isCut: boolean } {
  const rows: LogRow[] = []
  let bytes = 0
  for (const row of found) {
    const event = { ...(row as LogRow) }
    bytes += event.body.byteLength
    if (rows.length > 0 && bytes > MAX_STEP_BYTES) return { rows, isCut: true }
    rows.push(event)
  }
  return { rows, isCut: false }
}
