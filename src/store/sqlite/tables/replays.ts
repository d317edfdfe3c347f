// What is to be delivered again, in SQL. Synchronous; the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'
import type { Replay, ReplayProgress, ReplayRequest } from '../../../ports/replays.ts'

/** The last so many are shown; nobody looks further back. */
const SHOWN = 20

export function createReplays(db: DatabaseSync) {
  const insert = db.prepare(`
    insert into replays (sink, since, until, domain, stream, requested_at, last_seq)
    values (?, ?, ?, ?, ?, ?, coalesce((select seq from cursors where sink = ?), 0))
    returning id
  `)
  const columns = `
    id, sink, since, until, domain, stream, requested_at as requestedAt, next_seq as lookedUpTo,
    last_seq as lastSeq, delivered, refused as rejected, ended_at as endedAt, cancelled
  `
  const selectNext = db.prepare(`
    select ${columns} from replays where sink = ? and ended_at is null order by id limit 1
  `)
  const selectLast = db.prepare(`
    select ${columns} from replays order by id desc limit ${SHOWN}
  `)
  const advance = db.prepare(`
    update replays set next_seq = ?, delivered = delivered + ?, refused = refused + ?, ended_at = ?
    where id = ? and ended_at is null
  `)
  const cancel = db.prepare(`
    update replays set ended_at = ?, cancelled = 1 where id = ? and ended_at is null
  `)

  return {
    request({ sink, since, until, domain, stream }: ReplayRequest, at: number): number {
      return Number(insert.get(sink, since, until, domain, stream, at, sink)?.id)
    },

    /** The first one of a sink that has not ended, or null. */
    next(sink: string): Replay | null {
      const row = selectNext.get(sink)
      return row === undefined ? null : replayOf(row)
    },

    /** The latest ones, the last one first. */
    list: () => selectLast.all().map(replayOf),

    advance({ id, seq, delivered, rejected, isEnd }: ReplayProgress, at: number): void {
      advance.run(seq, delivered, rejected, isEnd ? at : null, id)
    },

    /** Whether there was one to be cancelled. */
    cancel: (id: number, at: number): boolean => Number(cancel.run(at, id).changes) > 0,
  }
}

function replayOf(row: Record<string, unknown>): Replay {
  return { ...row, cancelled: row.cancelled === 1 } as unknown as Replay
}
