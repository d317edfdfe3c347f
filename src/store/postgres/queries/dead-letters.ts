// The dead letters: rows, so that any command or replica may ask for a retry; the owner of the sink acts.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { DeadLetter, DeadLetterChange, DeadLetterStore } from '../../../ports/dead-letters.ts'
import type { Link } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'
import { transact } from '../connection/session.ts'
import { leaseLost } from './cursors.ts'
import { EVENT_COLUMNS, eventOf } from './event-log.ts'

const DEADLINE_MS = 10_000
/** Probes and scrapes ask, and must be answered while the store hangs. */
const COUNT_DEADLINE_MS = 1_000
/** Rows of one change. */
const MAX_CHANGED = 1_000
/** One read stops here, in bytes of bodies. */
const MAX_READ_BYTES = 8 * 1024 * 1024

export function createDeadLetters(
  { reading, keeping, writing }: { reading: Link; keeping: Link; writing: Link },
  location: PostgresLocation,
): DeadLetterStore {
  const q = (statement: string) => inSchema(location.schema, statement)
  const select = q(`
    select sink, ${EVENT_COLUMNS}, reason, attempts, died_at::float8 as "diedAt",
      retry_requested as "retryRequested"
    from (
      select *, sum(length(body)) over (order by sink collate "C", seq) - length(body) as bytes
      from (
        select * from @.dead_letters
        where ($1::text is null or sink = $1) and (not $2::boolean or retry_requested)
          and seq > $4::bigint
        order by sink collate "C", seq limit $3
      ) l
    ) p where bytes < ${MAX_READ_BYTES} order by sink collate "C", p.seq
  `)
  const count = q('select sink, letters::float8 as letters from @.letter_totals')
  const chosen = `
    ($1::text is null or sink = $1) and ($2::bigint[] is null or seq = any ($2))
  `
  const request = q(`
    update @.dead_letters set retry_requested = true where number in (
      select number from @.dead_letters where not retry_requested and ${chosen} limit ${MAX_CHANGED}
    ) returning 1
  `)
  const remove = q(`
    delete from @.dead_letters where number in (
      select number from @.dead_letters where ${chosen} limit ${MAX_CHANGED}
    ) returning 1
  `)
  // Lease and change in one statement: an owner that is paused in between would hold up a takeover.
  const asOwner = (change: string, values: number) =>
    q(`
      with held as materialized (
        select @.is_held_1('sink:' || $1, $${values + 1}) as ok,
          set_config('synchronous_commit', $${values + 2}, true)
      ), changed as (${change})
      select ok, (select count(*)::int from changed) as changed from held
    `)
  const removeAsOwner = asOwner(
    `delete from @.dead_letters
     where sink = $1 and seq = any ($2::bigint[]) and (select ok from held) returning 1`,
    2,
  )
  const keepAsOwner = asOwner(
    `update @.dead_letters set reason = $3, attempts = attempts + $4, retry_requested = false
     where sink = $1 and seq = $2 and (select ok from held) returning 1`,
    4,
  )
  const keep = q(`
    update @.dead_letters set reason = $3, attempts = attempts + $4, retry_requested = false
    where sink = $1 and seq = $2 returning 1
  `)

  return {
    async readDeadLetters({ sink, retryRequested = false, after = 0, limit }) {
      const values = [sink, retryRequested, limit, after]
      const rows = await reading.run((session) => session.rows(select, values), DEADLINE_MS)
      return rows.map(
        (row): DeadLetter => ({
          sink: String(row.sink),
          event: eventOf(row),
          reason: String(row.reason),
          attempts: Number(row.attempts),
          diedAt: Number(row.diedAt),
          retryRequested: row.retryRequested === true,
        }),
      )
    },

    async countDeadLetters() {
      const rows = await keeping.run((session) => session.rows(count), COUNT_DEADLINE_MS)
      return new Map(rows.map(({ sink, letters }) => [String(sink), Number(letters)]))
    },

    async changeDeadLetters(change, token = null) {
      if (token !== null && change.kind !== 'request_retry') return changeAsOwner(change, token)
      const [statement, values] = statementOf(change)
      const changed = await writing.run(
        (session) => transact(session, syncOf(location), () => session.rows(statement, values)),
        DEADLINE_MS,
      )
      return changed.length
    },
  }

  async function changeAsOwner(change: DeadLetterChange, token: string): Promise<number> {
    const [statement, values] =
      change.kind === 'failed_again'
        ? [keepAsOwner, [change.sink, change.seq, change.reason, change.attempts]]
        : [removeAsOwner, [change.sink, change.seqs]]
    const [row] = await writing.run(
      (session) => session.rows(statement, [...values, token, syncOf(location)]),
      DEADLINE_MS,
    )
    if (row?.ok !== true) throw leaseLost(`sink:${change.sink}`)
    return Number(row.changed)
  }

  function statementOf(change: DeadLetterChange): [string, unknown[]] {
    switch (change.kind) {
      case 'request_retry':
        return [request, [change.sink, change.seqs]]
      case 'drop':
        return [remove, [change.sink, change.seqs]]
      case 'failed_again':
        return [keep, [change.sink, change.seq, change.reason, change.attempts]]
    }
  }
}
