// The latest shot of each stream, in SQL. Synchronous; the caller holds the transaction. Once per
// stream and commit: what the last commit left of a stream is remembered, so that it is not read
// again.
import type { DatabaseSync } from 'node:sqlite'
import { type NewEvent, understandEvent } from '../../../core/events/snapshot-event.ts'
import { intervalOf, withGap } from '../../../core/events/stream-state.ts'
import { fitName } from '../../../core/printable.ts'

/** A body is not signed, and could name a new stream each time. Above this the longest silent go. */
const MAX_STREAMS = 100_000
/** Taken out at once, so that not every new stream costs a look at all of them. */
const MAKE_ROOM = 1_000
/** Streams whose last state is remembered. */
const MAX_REMEMBERED = 20_000
/**
 * The provider's names are shorter (docs/provider.md#the-past); an object's name has at most 1,023
 * bytes.
 */
const MAX_NAME = 256
const MAX_OBJECT = 1_024

export type SeenEvent = { readonly event: NewEvent; readonly seq: number }

type Known = {
  readonly id: number
  seq: number
  shotAt: number
  seenAt: number
  gaps: readonly number[]
}
type Shot = {
  readonly seq: number
  readonly event: NewEvent
  readonly bucket: string | null
  readonly endpoint: string | null
  readonly object: string | null
  readonly capturedAt: number | null
  readonly shotAt: number
  readonly seenAt: number
}
type Name = { readonly domain: string; readonly app: string; readonly stream: string }

export type SqlStreams = ReturnType<typeof createStreams>

export function createStreams(db: DatabaseSync, maxStreams = MAX_STREAMS) {
  const select = db.prepare(`
    select id, seq, shot_at as shotAt, seen_at as seenAt, gaps from streams
    where domain = ? and app = ? and stream = ?
  `)
  const insert = db.prepare(`
    insert into streams (domain, app, stream, events, first_seen_at, seq, event_id, bucket,
      endpoint, object, captured_at, received_at, shot_at, seen_at, interval_ms, gaps)
    values (?, ?, ?, ?, ?, ?, unhex(?), ?, ?, ?, ?, ?, ?, ?, ?, ?)
  `)
  const updateLatest = db.prepare(`
    update streams set events = events + ?, first_seen_at = min(first_seen_at, ?), seq = ?,
      event_id = unhex(?), bucket = ?, endpoint = ?, object = ?, captured_at = ?, received_at = ?, shot_at = ?, seen_at = ?, interval_ms = ?, gaps = ?
    where id = ?
  `)
  const updateOlder = db.prepare(`
    update streams set events = events + ?, first_seen_at = min(first_seen_at, ?), seen_at = ?
    where id = ?
  `)
  const count = db.prepare('select count(*) as count from streams')
  const makeRoom = db.prepare(`
    delete from streams where id in (select id from streams order by seen_at limit ?)
  `)
  const remembered = new Map<string, Known>()
  let total: number | undefined

  function recall(key: string, { domain, app, stream }: Name): Known | undefined {
    const known = remembered.get(key)
    if (known !== undefined) return known
    const row = select.get(domain, app, stream) as (Known & { gaps: string }) | undefined
    return row && { ...row, gaps: row.gaps === '' ? [] : row.gaps.split(',').map(Number) }
  }

  function noteStream(key: string, name: Name, shots: readonly Shot[]): void {
    const known = recall(key, name)
    const inOrder = shots.toSorted((a, b) => a.shotAt - b.shotAt || a.seq - b.seq)
    const latest = inOrder.at(-1) as Shot
    const firstSeenAt = Math.min(...shots.map(({ seenAt }) => seenAt))
    const seenAt = Math.max(known?.seenAt ?? 0, ...shots.map((shot) => shot.seenAt))
    if (known !== undefined && !isNewer(latest, known)) {
      updateOlder.run(shots.length, firstSeenAt, seenAt, known.id)
      remember(key, { ...known, seenAt })
      return
    }
    let { gaps, shotAt }: { gaps: readonly number[]; shotAt: number | undefined } = known ?? {
      gaps: [],
      shotAt: undefined,
    }
    for (const shot of inOrder) {
      if (shotAt !== undefined) gaps = withGap(gaps, shot.shotAt - shotAt)
      shotAt = Math.max(shotAt ?? 0, shot.shotAt)
    }
    const { seq, event, bucket, endpoint, object, capturedAt } = latest
    const shown = [seq, event.id, bucket, endpoint, object, capturedAt, event.receivedAt] as const
    const pace = [latest.shotAt, seenAt, intervalOf(gaps), gaps.join(',')] as const
    const state = { seq, shotAt: latest.shotAt, seenAt, gaps }
    if (known !== undefined) {
      updateLatest.run(shots.length, firstSeenAt, ...shown, ...pace, known.id)
      remember(key, { ...state, id: known.id })
      return
    }
    const { domain, app, stream } = name
    const added = insert.run(domain, app, stream, shots.length, firstSeenAt, ...shown, ...pace)
    remember(key, { ...state, id: Number(added.lastInsertRowid) })
    keepBounded()
  }

  function remember(key: string, known: Known): void {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, known)
  }

  function keepBounded(): void {
    total = total === undefined ? Number(count.get()?.count) : total + 1
    if (total <= maxStreams) return
    makeRoom.run(total - maxStreams + Math.min(MAKE_ROOM, Math.floor(maxStreams / 10)))
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

    /** After a transaction that was rolled back: what is remembered may not be so. */
    forget(): void {
      remembered.clear()
      total = undefined
    },
  }
}

function isNewer(shot: Shot, known: Known): boolean {
  return shot.shotAt > known.shotAt || (shot.shotAt === known.shotAt && shot.seq > known.seq)
}

function shotOf(event: NewEvent, seq: number): { name: Name; shot: Shot } {
  const { domain, receivedAt, origin, occurredAt } = event
  const { app, stream, bucket, endpoint, object, capturedAt } = understandEvent(event)
  // No shot is taken after it was told of: a clock that is ahead would else stay the latest.
  const shotAt = Math.min(capturedAt ?? receivedAt, receivedAt)
  return {
    name: { domain, app: nameOf(app), stream: nameOf(stream) },
    shot: {
      seq,
      event,
      bucket: upTo(bucket, MAX_NAME),
      endpoint: upTo(endpoint, MAX_NAME),
      object: upTo(object, MAX_OBJECT),
      capturedAt,
      shotAt,
      // What was listed and not called back says when the stream was there, not that it is.
      seenAt: origin === 'callback' ? receivedAt : Math.min(occurredAt, receivedAt),
    },
  }
}

function nameOf(name: string | null): string {
  return name === null ? '' : fitName(name.slice(0, MAX_NAME))
}

/** No bucket and no object has a longer name. */
function upTo(text: string | null, most: number): string | null {
  return text !== null && text.length <= most ? fitName(text) : null
}
