// The latest shot of each stream, in SQL. Synchronous; the caller holds the transaction. Once per
// stream and commit: what the last commit left of a stream is remembered, so that it is not read
// again.
import type { DatabaseSync } from 'node:sqlite'
import { intervalOf } from '../../../core/events/stream-state.ts'
import {
  groupByStream,
  type SeenEvent,
  type Shot,
  type StreamName,
  type StreamState,
  shownOf,
  withShots,
} from '../../stream-shots.ts'

/** A body is not signed, and could name a new stream each time. Above this the longest silent go. */
const MAX_STREAMS = 100_000
/** Taken out at once, so that not every new stream costs a look at all of them. */
const MAKE_ROOM = 1_000
/** Streams whose last state is remembered. */
const MAX_REMEMBERED = 20_000

type Known = StreamState & { readonly id: number }

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

  function recall(key: string, { domain, app, stream }: StreamName): Known | undefined {
    const known = remembered.get(key)
    if (known !== undefined) return known
    const row = select.get(domain, app, stream) as (Known & { gaps: string }) | undefined
    return row && { ...row, gaps: row.gaps === '' ? [] : row.gaps.split(',').map(Number) }
  }

  function noteStream(key: string, name: StreamName, shots: readonly Shot[]): void {
    const known = recall(key, name)
    const { events, firstSeenAt, state, latest } = withShots(known, shots)
    if (known !== undefined && latest === undefined) {
      updateOlder.run(events, firstSeenAt, state.seenAt, known.id)
      remember(key, { ...state, id: known.id })
      return
    }
    const shown = shownOf(latest as Shot)
    const pace = [state.shotAt, state.seenAt, intervalOf(state.gaps), state.gaps.join(',')] as const
    if (known !== undefined) {
      updateLatest.run(events, firstSeenAt, ...shown, ...pace, known.id)
      remember(key, { ...state, id: known.id })
      return
    }
    const { domain, app, stream } = name
    const added = insert.run(domain, app, stream, events, firstSeenAt, ...shown, ...pace)
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
      for (const [key, { name, shots }] of groupByStream(seen)) noteStream(key, name, shots)
    },

    /** After a transaction that was rolled back: what is remembered may not be so. */
    forget(): void {
      remembered.clear()
      total = undefined
    },
  }
}
