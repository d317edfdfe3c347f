// What is to be filled as somebody has asked for it: rows, so that any command may ask; the owner of
// the audit acts.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { AuditProgress, AuditStore, Backfill } from '../../../ports/audit.ts'
import type { Link } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'
import { type Session, transact } from '../connection/session.ts'

/** The last ones that are shown. */
const SHOWN = 20
const DEADLINE_MS = 5_000

type Port = Pick<
  AuditStore,
  'requestBackfill' | 'nextBackfill' | 'listBackfills' | 'cancelBackfill'
>

export function createBackfills(
  { reading, writing }: { reading: Link; writing: Link },
  location: PostgresLocation,
  now: () => number,
) {
  const q = (statement: string) => inSchema(location.schema, statement)
  const columns = `
    id::float8 as id, domain, stream, from_at::float8 as "from", until_at::float8 as until,
    requested_at::float8 as "requestedAt", done_until::float8 as "doneUntil",
    listed::float8 as listed, missed::float8 as missed, filled::float8 as filled, problem,
    ended_at::float8 as "endedAt", cancelled
  `
  const insert = q(`
    insert into @.backfills (domain, stream, from_at, until_at, requested_at, done_until)
    values ($1, $2, $3, $4, $5, $3) returning id::float8 as id
  `)
  const selectNext = q(`
    select ${columns} from @.backfills b where domain = $1 and ended_at is null
    order by b.id limit 1
  `)
  const selectLast = q(`
    select ${columns} from @.backfills b order by (b.ended_at is null) desc, b.id desc
    limit ${SHOWN}
  `)
  const selectOpen = q('select 1 from @.backfills where id = $1 and ended_at is null')
  const advance = q(`
    update @.backfills b set done_until = $2, listed = listed + $3, missed = missed + $4,
      filled = filled + $5, problem = $6, ended_at = $7
    where id = $1 and ended_at is null returning ${columns}
  `)
  const cancel = q(`
    update @.backfills set ended_at = $2, cancelled = true where id = $1 and ended_at is null
    returning 1
  `)
  const read = (statement: string, values: readonly unknown[] = []) =>
    reading.run((session) => session.rows(statement, values), DEADLINE_MS)
  const change = (statement: string, values: readonly unknown[]) =>
    writing.run(
      (session) => transact(session, syncOf(location), () => session.rows(statement, values)),
      DEADLINE_MS,
    )

  const port: Port = {
    async requestBackfill({ domain, stream, from, until }) {
      const [row] = await change(insert, [domain, stream, from, until, now()])
      return Number(row?.id)
    },
    async nextBackfill(domain) {
      const [row] = await read(selectNext, [domain])
      return row === undefined ? null : (row as unknown as Backfill)
    },
    listBackfills: async () => (await read(selectLast)) as unknown as Backfill[],
    cancelBackfill: async (id) => (await change(cancel, [id, now()])).length > 0,
  }

  return {
    port,
    isOpen: async (id: number) => (await read(selectOpen, [id])).length > 0,
    /** Resolves with the backfill if this was its end, and it was about all streams. */
    async advance(
      session: Session,
      progress: Extract<AuditProgress, { kind: 'backfill' }>,
      filled: number,
    ): Promise<Backfill | null> {
      const { id, doneUntil, listed, missed, isEnd, problem } = progress
      const endedAt = isEnd ? now() : null
      const values = [id, doneUntil, listed, missed, filled, problem, endedAt]
      const [row] = (await session.rows(advance, values)) as unknown as Backfill[]
      return row !== undefined && isEnd && row.stream === null ? row : null
    },
  }
}
