// The latest shot of each stream, in SQL. Synchronous; the caller holds the transaction. Once per
// stream and commit, and next to nothing each time: what the last commit left of a stream is remembered
// and not read again, and what the shot shows stays in its event until that goes.
import type { DatabaseSync } from 'node:sqlite'
import {
  type NewEvent,
  type StoredEvent,
  understandEvent,
} from '../../../core/events/snapshot-event.ts'
import { intervalOf, withGap } from '../../../core/events/stream-state.ts'
import { fitName } from '../../../core/printable.ts'
import { detailOf } from './stream-details.ts'

/** A body is not signed, and could name a new stream each time. Above this the longest silent go. */
const MAX_STREAMS = 100_000
/** Taken out at once, so that not every new stream costs a look at all of them. */
const MAKE_ROOM = 1_000
/** Streams whose last state is remembered. */
const MAX_REMEMBERED = 20_000
/** The provider's names are shorter. */
const MAX_NAME = 256

export type SeenEvent = { readonly event: NewEvent; readonly seq: number }

type Known = {
  readonly id: number
  readonly seq: number
  readonly shotAt: number
  readonly seenAt: number
  readonly firstSeenAt: number
  readonly gaps: readonly number[]
}
type Shot = { readonly seq: number; readonly shotAt: number; readonly seenAt: number }
type Name = { readonly domain: string; readonly app: string; readonly stream: string }

export type SqlStreams = ReturnType<typeof createStreams>

export function createStreams(db: DatabaseSync, maxStreams = MAX_STREAMS) {
  const select = db.prepare(`
    select id, seq, shot_at as shotAt, seen_at as seenAt, first_seen_at as firstSeenAt,
      interval_ms as intervalMs
    from streams join stream_states using (id) where domain = ? and app = ? and stream = ?
  `)
  const insert = db.prepare(`
    insert into streams (domain, app, stream, first_seen_at) values (?, ?, ?, ?)
  `)
  const insertState = db.prepare(`
    insert into stream_states (id, seq, events, shot_at, seen_at, interval_ms)
    values (?, ?, ?, ?, ?, ?)
  `)
  const updateState = db.prepare(`
    update stream_states set seq = ?, events = events + ?, shot_at = ?, seen_at = ?, interval_ms = ?
    where id = ?
  `)
  const updateFirst = db.prepare('update streams set first_seen_at = ? where id = ?')
  const count = db.prepare('select count(*) as count from stream_states')
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
  const remembered = new Map<string, Known>()
  let total: number | undefined
  /** No latest shot that is not noted is below this one. */
  let lowest = 0

  function recall(key: string, { domain, app, stream }: Name): Known | undefined {
    const known = remembered.get(key)
    if (known !== undefined) return known
    const row = select.get(domain, app, stream) as
      | (Omit<Known, 'gaps'> & { intervalMs: number | null })
      | undefined
    if (row === undefined) return undefined
    const { intervalMs, ...rest } = row
    // The gaps themselves are not kept; their median stands for them.
    return { ...rest, gaps: intervalMs === null ? [] : [intervalMs, intervalMs, intervalMs] }
  }

  function noteStream(key: string, name: Name, shots: readonly Shot[]): void {
    const known = recall(key, name)
    const inOrder = shots.length === 1 ? shots : shots.toSorted(byTime)
    const latest = inOrder.at(-1) as Shot
    const isLatest = known === undefined || byTime(latest, known) > 0
    let { gaps, shotAt }: { gaps: readonly number[]; shotAt: number | undefined } = known ?? {
      gaps: [],
      shotAt: undefined,
    }
    for (const shot of isLatest ? inOrder : []) {
      if (shotAt !== undefined) gaps = withGap(gaps, shot.shotAt - shotAt)
      shotAt = Math.max(shotAt ?? 0, shot.shotAt)
    }
    const seen = shots.map((shot) => shot.seenAt)
    const now = {
      seq: isLatest ? latest.seq : known.seq,
      shotAt: isLatest ? latest.shotAt : known.shotAt,
      seenAt: Math.max(known?.seenAt ?? 0, ...seen),
      firstSeenAt: Math.min(known?.firstSeenAt ?? Number.POSITIVE_INFINITY, ...seen),
      gaps,
    }
    const { seq, seenAt, firstSeenAt } = now
    if (known === undefined) {
      const { domain, app, stream } = name
      const id = Number(insert.run(domain, app, stream, firstSeenAt).lastInsertRowid)
      insertState.run(id, seq, shots.length, now.shotAt, seenAt, intervalOf(gaps))
      remember(key, { ...now, id })
      keepBounded()
      return
    }
    const { id } = known
    updateState.run(seq, shots.length, now.shotAt, seenAt, intervalOf(gaps), id)
    if (firstSeenAt < known.firstSeenAt) updateFirst.run(firstSeenAt, id)
    remember(key, { ...now, id })
  }

  function remember(key: string, known: Known): void {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, known)
  }

  function keepBounded(): void {
    total = total === undefined ? Number(count.get()?.count) : total + 1
    if (total <= maxStreams) return
    makeRoom.run(total - maxStreams + Math.min(MAKE_ROOM, Math.floor(maxStreams / 10)))
    dropStateless.run()
    total = undefined
    remembered.clear()
  }

  return {
    /** Counts events that were kept in this transaction. */
    note(seen: readonly SeenEvent[]): void {
      const byStream = new Map<string, { name: Name; shots: Shot[] }>()
      for (const { event, seq } of seen) {
        const { name, shot } = shotOf(event, seq)
        const key = `${name.domain}\0${name.app}\0${name.stream}`
        const group = byStream.get(key)
        if (group === undefined) byStream.set(key, { name, shots: [shot] })
        else group.shots.push(shot)
      }
      for (const [key, { name, shots }] of byStream) noteStream(key, name, shots)
    },

    /** Before events up to `seq` go: what is the latest shot of a stream is noted there. */
    noteBeforeRemoval(seq: number): void {
      if (seq < lowest) return
      for (const row of selectGoing.all(seq)) {
        const { id, eventId, ...event } = row as unknown as StoredEvent & { eventId: string }
        const { bucket, endpoint, object, capturedAt } = detailOf({ ...event, id: eventId })
        const at = [capturedAt, event.receivedAt] as const
        noteDetail.run(event.seq, eventId, bucket, endpoint, object, ...at, Number(id))
      }
      lowest = Number(selectLowest.get()?.seq ?? Number.MAX_SAFE_INTEGER)
    },

    /** After a transaction that was rolled back: what is remembered may not be so. */
    forget(): void {
      remembered.clear()
      total = undefined
      lowest = 0
    },
  }
}

function byTime(a: Pick<Shot, 'shotAt' | 'seq'>, b: Pick<Shot, 'shotAt' | 'seq'>): number {
  return a.shotAt - b.shotAt || a.seq - b.seq
}

function shotOf(event: NewEvent, seq: number): { name: Name; shot: Shot } {
  const { domain, receivedAt, origin, occurredAt } = event
  const { app, stream, capturedAt } = understandEvent(event)
  return {
    name: { domain, app: nameOf(app), stream: nameOf(stream) },
    shot: {
      seq,
      // No shot is taken after it was told of: a clock that is ahead would else stay the latest.
      shotAt: Math.min(capturedAt ?? receivedAt, receivedAt),
      // What was listed and not called back says when the stream was there, not that it is.
      seenAt: origin === 'callback' ? receivedAt : Math.min(occurredAt, receivedAt),
    },
  }
}

function nameOf(name: string | null): string {
  return name === null ? '' : fitName(name.slice(0, MAX_NAME))
}
