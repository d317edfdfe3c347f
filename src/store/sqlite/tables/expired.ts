// The ranges of what a sink never got, in SQL: in place of a dead letter for each event. Synchronous;
// the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'
import type { ExpiredRange } from '../../../ports/retention.ts'

/** Ranges kept per sink; beyond that the last one is extended: a slow sink would add one a second. */
const MAX_RANGES = 100

export type SqlExpired = ReturnType<typeof createExpired>

export function createExpired(db: DatabaseSync) {
  const selectLast = db.prepare(`
    select max(from_seq) as fromSeq, max(to_seq) as toSeq, count(*) as ranges
    from expired where sink = ? and reason = ?
  `)
  const extend = db.prepare(`
    update expired set to_seq = max(to_seq, ?), count = count + ?, expired_at = ?
    where sink = ? and reason = ? and from_seq = ?
  `)
  const insert = db.prepare(`
    insert into expired (sink, reason, from_seq, to_seq, count, expired_at)
    values (?, ?, ?, ?, ?, ?)
    on conflict (sink, reason, from_seq) do update set
      to_seq = max(to_seq, excluded.to_seq), count = count + excluded.count,
      expired_at = excluded.expired_at
  `)
  const select = db.prepare(`
    select sink, reason, from_seq as fromSeq, to_seq as toSeq, count, expired_at as expiredAt
    from expired where ?1 is null or sink = ?1 order by sink, from_seq
  `)
  const remove = db.prepare(`
    delete from expired where ?1 is null or sink = ?1
  `)

  return {
    /** Notes a range; the last one goes on where the sink got nothing since: `after` is its cursor. */
    note({ sink, reason, fromSeq, toSeq, count, expiredAt }: ExpiredRange, after: number): void {
      const last = selectLast.get(sink, reason) as {
        fromSeq: number | null
        toSeq: number | null
        ranges: number
      }
      const goesOn = last.toSeq !== null && (last.toSeq >= after || last.ranges >= MAX_RANGES)
      if (goesOn) extend.run(toSeq, count, expiredAt, sink, reason, last.fromSeq)
      else insert.run(sink, reason, fromSeq, toSeq, count, expiredAt)
    },

    list: (sink: string | null) =>
      select.all(sink).map((row) => ({ ...row }) as unknown as ExpiredRange),

    /** How many ranges it removed. */
    drop: (sink: string | null) => Number(remove.run(sink).changes),
  }
}
