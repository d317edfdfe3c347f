// The latest shot of each stream: counted by one replica, in steps right behind the log. Not in the
// commit of the events, since understanding bodies there would hold up the appends of all replicas;
// how far it came is kept in the commit of the streams, so that each event counts once.

import type { StoredEvent } from '../../../core/events/snapshot-event.ts'
import { intervalOf } from '../../../core/events/stream-state.ts'
import {
  groupByStream,
  keyOf,
  type Shot,
  type StreamName,
  type StreamState,
  shownOf,
  withShots,
} from '../../stream-shots.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'
import { type Row, type Session, transact } from '../connection/session.ts'

const DEADLINE_MS = 10_000
const MAX_STEP_BYTES = 4 * 1024 * 1024
/** A step of so many bytes may have ended for them: the next body did not fit. */
const FULL_BYTES = MAX_STEP_BYTES / 2
/** A body is not signed, and could name a new stream each time. Above this the longest silent go. */
const MAX_STREAMS = 100_000
/** Taken out at once, so that not every new stream costs a look at all of them. */
const MAKE_ROOM = 1_000

type Change = ReturnType<typeof withShots> & { readonly name: StreamName }

/** Counts up to `limit` events; whether it had to stop before the end. */
export function createStreamCount(deps: {
  link: Link
  schema: string
  read(after: number, limit: number, maxBytes: number): Promise<StoredEvent[]>
}): (limit: number) => Promise<boolean> {
  const { link, schema, read } = deps
  const q = (statement: string) => inSchema(schema, statement)
  const selectUpTo = q(`select value as at from @.counters where name = 'streams_upto'`)
  const moveUpTo = q(`
    update @.counters set value = $2 where name = 'streams_upto' and value = $1 returning 1
  `)
  const recall = q(`
    select s.domain, s.app, s.stream, s.seq::float8 as seq, s.shot_at::float8 as "shotAt",
      s.seen_at::float8 as "seenAt", s.gaps
    from unnest($1::text[], $2::text[], $3::text[]) as n (domain, app, stream)
    join @.streams s using (domain, app, stream)
  `)
  const upsert = q(`
    insert into @.streams as s (domain, app, stream, events, first_seen_at, seq, event_id, bucket,
      endpoint, object, captured_at, received_at, shot_at, seen_at, interval_ms, gaps)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
      $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[],
      $13::bigint[], $14::bigint[], $15::bigint[], $16::text[])
    on conflict (domain, app, stream) do update set events = s.events + excluded.events,
      first_seen_at = least(s.first_seen_at, excluded.first_seen_at), seq = excluded.seq,
      event_id = excluded.event_id, bucket = excluded.bucket, endpoint = excluded.endpoint,
      object = excluded.object, captured_at = excluded.captured_at,
      received_at = excluded.received_at, shot_at = excluded.shot_at,
      seen_at = excluded.seen_at, interval_ms = excluded.interval_ms, gaps = excluded.gaps
  `)
  const updateOlder = q(`
    update @.streams s set events = s.events + o.events,
      first_seen_at = least(s.first_seen_at, o.first_seen_at), seen_at = o.seen_at
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
      as o (domain, app, stream, events, first_seen_at, seen_at)
    where s.domain = o.domain and s.app = o.app and s.stream = o.stream
  `)
  const makeRoom = q(`
    delete from @.streams where (domain, app, stream) in (
      select domain, app, stream from @.streams order by seen_at
      limit greatest(0, (select count(*) from @.streams) - ${MAX_STREAMS - MAKE_ROOM})
    ) and (select count(*) from @.streams) > ${MAX_STREAMS}
  `)

  return async (limit) => {
    const [state] = await link.run((session) => session.rows(selectUpTo), DEADLINE_MS)
    const from = Number(state?.at)
    const events = await read(from, limit, MAX_STEP_BYTES)
    const last = events.at(-1)
    if (last === undefined) return false
    const groups = [...groupByStream(events.map((event) => ({ event, seq: event.seq }))).values()]
    await link.run(
      // What is lost with a crash of the server is counted again from where it got to.
      (session) =>
        transact(session, 'off', async () => {
          // Another replica may have counted these meanwhile.
          if ((await session.rows(moveUpTo, [from, last.seq])).length === 0) return
          const known = await recallAll(
            session,
            groups.map(({ name }) => name),
          )
          const changes = groups.map(({ name, shots }) => {
            return { name, ...withShots(known.get(keyOf(name)), shots) }
          })
          await keep(session, changes, known)
        }),
      DEADLINE_MS,
    )
    return events.length === limit || bytesOf(events) > FULL_BYTES
  }

  async function recallAll(session: Session, names: readonly StreamName[]) {
    const rows = await session.rows(recall, columnsOf(names))
    return new Map(rows.map((row) => [keyOf(row as StreamName), stateOf(row)]))
  }

  async function keep(
    session: Session,
    changes: readonly Change[],
    known: ReadonlyMap<string, StreamState>,
  ): Promise<void> {
    const newer = changes.filter(({ latest }) => latest !== undefined)
    const older = changes.filter(({ latest }) => latest === undefined)
    if (newer.length > 0) await session.rows(upsert, transposed(newer.map(rowOf)))
    if (older.length > 0) {
      const rows = older.map(({ name, events, firstSeenAt, state }) => {
        return [name.domain, name.app, name.stream, events, firstSeenAt, state.seenAt]
      })
      await session.rows(updateOlder, transposed(rows))
    }
    if (newer.some(({ name }) => !known.has(keyOf(name)))) await session.rows(makeRoom)
  }
}

function rowOf({ name, events, firstSeenAt, state, latest }: Change): unknown[] {
  return [
    ...[name.domain, name.app, name.stream, events, firstSeenAt],
    ...shownOf(latest as Shot),
    ...[state.shotAt, state.seenAt, intervalOf(state.gaps), state.gaps.join(',')],
  ]
}

function bytesOf(events: readonly StoredEvent[]): number {
  return events.reduce((sum, { body }) => sum + body.byteLength, 0)
}

function columnsOf(names: readonly StreamName[]): unknown[] {
  return transposed(names.map(({ domain, app, stream }) => [domain, app, stream]))
}

function transposed(rows: readonly (readonly unknown[])[]): unknown[] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]))
}

function stateOf({ seq, shotAt, seenAt, gaps }: Row): StreamState {
  return {
    seq: Number(seq),
    shotAt: Number(shotAt),
    seenAt: Number(seenAt),
    gaps: gaps === '' ? [] : String(gaps).split(',').map(Number),
  }
}
