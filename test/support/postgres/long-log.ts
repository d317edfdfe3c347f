// Makes a log on PostgreSQL long, quickly: the same rows that appends make, written by the server
// itself, in partitions as they would be if each had taken six hours to fill.
import type { PostgresLocation } from '../../../src/core/store-place.ts'
import { inSchema } from '../../../src/store/postgres/connection/location.ts'
import type { PostgresServer } from './postgres-server.ts'

/** Of an event without its body, as `append_1` counts it. */
const EVENT_BYTES = 350
const SIX_HOURS_S = 21_600

/** Appends up to `upTo`, `width` events or somewhat more to a partition. Returns how many there are. */
export async function fillLog(
  server: PostgresServer,
  { schema }: PostgresLocation,
  upTo: number,
  width: number,
): Promise<number> {
  const run = (statement: string, values: unknown[] = []) =>
    server.query(inSchema(schema, statement), values)
  for (;;) {
    const [at] = await run(
      `select coalesce((select seq from @.events order by seq desc limit 1), 0)::float8 as last,
         (select max(to_seq) from @.partitions)::float8 as full`,
    )
    const last = Number(at?.last)
    if (last >= upTo) break
    if (at?.full === null || last + 1 >= Number(at?.full)) {
      // The next one is as wide as this one would be after six hours.
      await run(
        `update @.partitions set made_at =
           clock_timestamp() - interval '1 s' * (${SIX_HOURS_S} * (to_seq - from_seq) / $1::float8)`,
        [width],
      )
      await run('select @.make_partitions_1($1)', [last + 1])
      continue
    }
    await run(FILL, [last + 1, Math.min(upTo, Number(at?.full) - 1)])
  }
  await run(AGE)
  await run('analyze @.events')
  const [found] = await run('select count(*)::int as count from @.partitions')
  return Number(found?.count)
}

/** Nobody has anything to deliver, or to count. */
export async function catchUp(server: PostgresServer, { schema }: PostgresLocation): Promise<void> {
  const run = (statement: string) => server.query(inSchema(schema, statement))
  await run(
    `insert into @.cursors (sink, seq, updated_at) select 'stdout', max(seq), 0 from @.events
     on conflict (sink) do update set seq = excluded.seq`,
  )
  await run(
    `update @.counters set value = (select max(seq) from @.events) where name = 'streams_upto'`,
  )
}

/** Twenty in a millisecond, as `bench/tools/wrk.lua` has them; received a moment after. */
const FILL = `
  insert into @.events (seq, bytes_upto, id, occurred_at, received_at, domain, origin, body)
  select seq, coalesce(bytes_before, 0) + (seq - $1 + 1) * (length(body) + ${EVENT_BYTES}),
    sha256(body), at, at + 50, 'play.example.com', 'callback', body
  from (
    select seq, at, convert_to(format(
      '{"DomainName":"play.example.com","AppName":"live","StreamName":"stream-%s","OssEndpoint":'
      '"oss-cn-shanghai.example.com","OssBucket":"snapshots","OssObject":"live/stream-%s/%s.jpg",'
      '"CreateTimestamp":%s,"IsOverlay":false}',
      lpad((seq % 500)::text, 3, '0'), lpad((seq % 500)::text, 3, '0'), lpad(seq::text, 10, '0'), at
    ), 'UTF8') as body
    from (
      select seq, 1700000000000 + seq / 20 as at from generate_series($1::bigint, $2::bigint) seq
    ) n
  ) b, (select max(bytes_upto) as bytes_before from @.events where seq = $1 - 1) before
`

/** Each partition six hours older than the next; duplicates are known as far back as that says. */
const AGE = `
  with aged as (
    update @.partitions p set made_at = clock_timestamp() - interval '6 hours' * n.later
    from (select name, row_number() over (order by from_seq desc) as later from @.partitions) n
    where n.name = p.name
    returning p.from_seq, n.later
  )
  update @.log_state set dedupe_after = (select min(from_seq) - 1 from aged where later <= 8)
`
