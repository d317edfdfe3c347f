// Drops the partitions that are wholly below the floor: detached first, concurrently, so that neither
// readers nor appends wait. What was interrupted is finished at the next step.
import type { Link } from './link.ts'
import { inSchema, type PostgresLocation } from './location.ts'

/** A detach waits for whoever reads the partition. */
const DEADLINE_MS = 60_000

/** `isForNow`: whether to go on; asked between partitions. */
export async function dropPartitions(link: Link, { schema }: PostgresLocation): Promise<void> {
  const q = (statement: string) => inSchema(schema, statement)
  const selectGone = q(`
    select name, (
      select i.inhdetachpending from pg_inherits i
      where i.inhrelid = to_regclass(format('@.%I', p.name)) and i.inhparent = '@.events'::regclass
    ) as pending, to_regclass(format('@.%I', p.name)) is not null as "exists"
    from @.partitions p
    where to_seq <= (select floor_seq + 1 from @.log_state)
      and from_seq < (select max(from_seq) from @.partitions)
    order by from_seq
  `)
  const forget = q('delete from @.partitions where name = $1')
  await link.run(async (session) => {
    for (const { name, pending, exists } of await session.rows(selectGone)) {
      const table = inSchema(schema, `@."${String(name)}"`)
      const detach = inSchema(schema, `alter table @.events detach partition ${table}`)
      if (pending === true) await session.script(`${detach} finalize`)
      if (pending === false) await session.script(`${detach} concurrently`)
      if (exists === true) await session.script(`drop table ${table}`)
      await session.rows(forget, [name])
    }
  }, DEADLINE_MS)
}

/** What tells of the room on the server's disk: the log with its indexes, in bytes. */
export async function physicalSize(link: Link, { schema }: PostgresLocation): Promise<number> {
  const statement = inSchema(
    schema,
    `select coalesce(sum(pg_total_relation_size(to_regclass(format('@.%I', name)))), 0)::float8 as size
     from @.partitions`,
  )
  const [row] = await link.run((session) => session.rows(statement), DEADLINE_MS)
  return Number(row?.size)
}
