// What is to be filled as somebody has asked for it, in SQL. Synchronous; the caller holds the
// transaction.
import type { DatabaseSync } from 'node:sqlite'
import type { AuditProgress, Backfill, BackfillRequest } from '../../../ports/audit.ts'

/** The last ones that are shown. */
const SHOWN = 20

export type SqlBackfills = ReturnType<typeof createBackfills>

export function createBackfills(db: DatabaseSync) {
  const insert = db.prepare(`
    insert into backfills (domain, stream, from_at, until_at, requested_at, done_until)
    values (?1, ?2, ?3, ?4, ?5, ?3) returning id
  `)
  const columns = `
    id, domain, stream, from_at as "from", until_at as until, requested_at as requestedAt,
    done_until as doneUntil, listed, missed, filled, problem, ended_at as endedAt, cancelled
  `
  const select = db.prepare(`
    select ${columns} from backfills where id = ?
  `)
  const selectNext = db.prepare(`
    select ${columns} from backfills where domain = ? and ended_at is null order by id limit 1
  `)
  const selectLast = db.prepare(`
    select ${columns} from backfills order by (ended_at is null) desc, id desc limit ${SHOWN}
  `)
  const advance = db.prepare(`
    update backfills set done_until = ?, listed = listed + ?, missed = missed + ?,
      filled = filled + ?, problem = ?, ended_at = ?
    where id = ? and ended_at is null
  `)
  const cancel = db.prepare(`
    update backfills set ended_at = ?, cancelled = 1 where id = ? and ended_at is null
  `)

  return {
    request({ domain, stream, from, until }: BackfillRequest, at: number): number {
      return Number(insert.get(domain, stream, from, until, at)?.id)
    },

    /** One by its number, or null. */
    find(id: number): Backfill | null {
      const row = select.get(id)
      return row === undefined ? null : backfillOf(row)
    },

    /** The first one of a domain that has not ended, or null. */
    next(domain: string): Backfill | null {
      const row = selectNext.get(domain)
      return row === undefined ? null : backfillOf(row)
    },

    /** Those under way, then the latest ones; the last one first. */
    list: () => selectLast.all().map(backfillOf),

    advance(
      progress: Extract<AuditProgress, { kind: 'backfill' }>,
      { filled, at }: { filled: number; at: number },
    ): void {
      const { id, doneUntil, listed, missed, isEnd, problem } = progress
      advance.run(doneUntil, listed, missed, filled, problem, isEnd ? at : null, id)
    },

    /** Whether there was one to be cancelled. */
    cancel: (id: number, at: number): boolean => Number(cancel.run(at, id).changes) > 0,
  }
}

function backfillOf(row: Record<string, unknown>): Backfill {
  return { ...row, cancelled: row.cancelled === 1 } as unknown as Backfill
}
