// A schema on PostgreSQL as the source or the target of a copy. What is written is waited for on disk
// at the end only: a crash of the server takes back a whole tail of it, and the copy goes on there.

import type { StoredEvent } from '../../../core/events/snapshot-event.ts'
import { locationName, type PostgresLocation } from '../../../core/store-place.ts'
import type { CopySource, CopySurvey, CopyTarget } from '../../../ports/copy.ts'
import { TABLES } from '../../copied-tables.ts'
import { openFault, withFaults } from '../connection/faults.ts'
import { createLink } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'
import { type Session, transact } from '../connection/session.ts'
import { checkSchema, migrate } from '../migrate.ts'
import { createEventLog } from '../queries/event-log.ts'
import { createStreamCount } from '../queries/streams.ts'
import { readPage, writeRows } from './copied-rows.ts'
import { readMark, refuseUnfinishedCopy } from './mark.ts'

const OPEN_DEADLINE_MS = 15_000
/** For what looks at whole tables, and for a batch on a server that is busy. */
const DEADLINE_MS = 600_000
const COUNTED_EVENTS = 1_000
const EVENT_BYTES = 350
/** As a timeline, for numbers that were given out in the source and have no event any more. */
const COPIED = 'copied'

export type PostgresCopyOptions = {
  readonly location: PostgresLocation
  /** Makes the schema, and takes one that holds a copy that was interrupted. */
  readonly isTarget: boolean
}

export async function openPostgresCopy({
  location,
  isTarget,
}: PostgresCopyOptions): Promise<CopySource & CopyTarget> {
  const { schema } = location
  const q = (statement: string) => inSchema(schema, statement)
  const link = createLink({ location, name: 'copy' })
  const run = <T>(work: (session: Session) => Promise<T>) => link.run(work, DEADLINE_MS)
  const change = <T>(sync: string, work: (session: Session) => Promise<T>) =>
    run((session) => transact(session, sync, () => work(session)))
  try {
    await link.run(async () => undefined, OPEN_DEADLINE_MS)
    await run((session) => (isTarget ? migrate(session, location) : checkSchema(session, location)))
    if (!isTarget) await run((session) => refuseUnfinishedCopy(session, location))
  } catch (error) {
    await link.close()
    throw openFault(error, location)
  }
  const log = createEventLog(link, schema)
  const countStreams = createStreamCount({ link, schema, read: log.read })
  const insertEvents = q(INSERT_EVENTS)

  const side: Omit<CopySource & CopyTarget, 'name'> = {
    async servedBy() {
      const [seen] = await run((session) => session.rows(q(SELECT_SEEN)))
      return seen === undefined ? null : `${String(seen.name)}, seen ${String(seen.ago)} s ago`
    },

    survey: () => run((session) => survey(session, schema)),

    async countStreams() {
      while (await countStreams(COUNTED_EVENTS));
    },

    readEvents: (after, limit) => log.read(after, limit),
    readRows: (table, from, limit) =>
      run((session) => readPage(session, schema, { table, from, limit })),

    begin: ({ source, withEvents, startedAt }, firstSeq) =>
      change(syncOf(location), async (session) => {
        await session.rows(
          q('insert into @.copies (one, source, with_events, started_at) values (1, $1, $2, $3)'),
          [source, withEvents, startedAt],
        )
        await session.rows(q('update @.log_state set floor_seq = $1'), [firstSeq - 1])
      }),

    clear: () =>
      change('off', (session) =>
        session.script(q(`truncate ${TABLES.map((table) => `@.${table}`)}, @.letter_totals`)),
      ),

    writeEvents: (events) =>
      change('off', async (session) => {
        await session.rows(q('select @.make_partitions_1($1)'), [events.at(-1)?.seq])
        const [row] = await session.rows(insertEvents, eventColumns(events))
        const doubles = events.length - Number(row?.added)
        if (doubles > 0) await session.rows(q(NOTE_DOUBLES), [doubles])
      }),

    writeRows: (table, rows) =>
      change('off', (session) => writeRows(session, schema, { table, rows })),

    trim: (firstSeq) =>
      change('off', (session) => session.rows(q(MOVE_FLOOR), [firstSeq - 1])).then(() => undefined),

    finish: ({ lastSeq, receivingSeconds, at }) =>
      change(syncOf(location), async (session) => {
        await session.rows(q(JUMP_TO_LAST), [lastSeq, COPIED])
        await session.rows(q(`update @.counters set value = $1 where name = 'receiving_seconds'`), [
          receivingSeconds,
        ])
        await session.rows(q(`update @.counters set value = $1 where name = 'streams_upto'`), [
          lastSeq,
        ])
        await session.rows(q('update @.copies set ended_at = $1'), [at])
      }),

    close: link.close,
  }
  return { name: locationName(location), ...withFaults(side, location) }
}

/** Replicas that were seen within the last minute, but those that left. */
const SELECT_SEEN = `
  select name, round(extract(epoch from clock_timestamp() - seen_at))::int as ago from @.peers
  where seen_at > clock_timestamp() - interval '1 minute' order by seen_at desc limit 1
`

/**
 * A batch of the log, with the running total of its bytes, and the numbers between that no event has.
 * Two events with one identity can be in a log that forgets identities: in one partition the first stays.
 */
const INSERT_EVENTS = `
  with before as materialized (
    select seq, bytes_upto from @.events order by seq desc limit 1
  ),
  given as materialized (
    select *, coalesce(lag(upto) over (order by nth), 0) as start
    from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::int[])
      with ordinality as g (seq, domain, origin, occurred_at, received_at, upto, nth)
  ),
  added as (
    insert into @.events (seq, bytes_upto, id, occurred_at, received_at, domain, origin, body)
    select seq,
      coalesce((select bytes_upto from before), 0) + upto + ${EVENT_BYTES} * nth,
      substring($7::bytea from 32 * (nth::int - 1) + 1 for 32), occurred_at, received_at, domain,
      origin, substring($8::bytea from start + 1 for upto - start)
    from given order by nth
    on conflict do nothing
    returning seq
  ),
  jumped as (
    insert into @.jumps (after_seq, to_seq, timeline)
    select previous, seq - 1, '${COPIED}' from (
      select seq, lag(seq, 1, coalesce((select seq from before), (select floor_seq from @.log_state)))
        over (order by seq) as previous
      from added
    ) gaps where seq > previous + 1
  )
  select count(*)::int as added from added
`

const NOTE_DOUBLES = 'update @.copies set doubles = doubles + $1'

/** What the source has given up since the copy began. */
const MOVE_FLOOR = `
  update @.log_state set floor_seq = $1::bigint, floor_bytes = coalesce((
    select bytes_upto from @.events where seq <= $1 order by seq desc limit 1
  ), floor_bytes)
  where floor_seq < $1::bigint
`

/** The next event gets the number that it would get in the source. */
const JUMP_TO_LAST = `
  insert into @.jumps (after_seq, to_seq, timeline)
  select newest, $1::bigint, $2 from (
    select greatest(floor_seq, (select seq from @.events order by seq desc limit 1)) as newest
    from @.log_state
  ) l where newest < $1::bigint
`

async function survey(session: Session, schema: string): Promise<CopySurvey> {
  const counts = TABLES.map((table) => `(select count(*) from @.${table})::float8 as ${table}`)
  const [rows] = await session.rows(
    inSchema(
      schema,
      `select ${counts.join(', ')}, (
         select count(*) from @.events where seq > (select floor_seq from @.log_state)
       )::float8 as events`,
    ),
  )
  const [numbers] = await session.rows(
    inSchema(
      schema,
      `select floor_seq::float8 as floor, coalesce((
           select seq from @.events where seq > floor_seq order by seq limit 1
         ), 0)::float8 as first,
         coalesce((select seq from @.events order by seq desc limit 1), 0)::float8 as newest,
         greatest(floor_seq, (select max(to_seq) from @.jumps),
           (select seq from @.events order by seq desc limit 1))::float8 as last,
         (select value from @.counters where name = 'receiving_seconds') as receiving
       from @.log_state`,
    ),
  )
  const lastSeq = Number(numbers?.last)
  const newest = Number(numbers?.newest)
  return {
    rows: rows as unknown as CopySurvey['rows'],
    firstSeq: Number(numbers?.first) || lastSeq + 1,
    newestSeq: newest > Number(numbers?.floor) ? newest : 0,
    lastSeq,
    receivingSeconds: Number(numbers?.receiving),
    copied: await readMark(session, schema),
  }
}

function eventColumns(events: readonly StoredEvent[]): unknown[] {
  let end = 0
  return [
    events.map(({ seq }) => seq),
    events.map(({ domain }) => domain),
    events.map(({ origin }) => origin),
    events.map(({ occurredAt }) => occurredAt),
    events.map(({ receivedAt }) => receivedAt),
    events.map(({ body }) => {
      end += body.byteLength
      return end
    }),
    Buffer.from(events.map(({ id }) => id).join(''), 'hex'),
    Buffer.concat(events.map(({ body }) => body)),
  ]
}
