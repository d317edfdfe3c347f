// What goes from the log, and what is noted of it, in SQL. Synchronous; the caller holds the
// transaction. Always from the oldest on, so that a cursor never passes an event that is still there.
import type { DatabaseSync } from 'node:sqlite'
import type { ExpiredRange, Pruned, PruneStep } from '../../ports.ts'
import type { SqlCursors } from './cursors.ts'

/** Of the room of the store: what dead letters take beyond it goes before events do. */
const LETTERS_SHARE = 0.5

type Oldest = { readonly seq: number; readonly receivedAt: number }
type Reason = ExpiredRange['reason']

export type SqlPruning = ReturnType<typeof createPruning>

export function createPruning(db: DatabaseSync, cursors: SqlCursors) {
  const selectOldest = db.prepare(`
    select seq, received_at as receivedAt from events order by seq limit ?
  `)
  const countLacking = db.prepare(`
    select count(*) as count, min(seq) as fromSeq from events where seq > ? and seq <= ?
  `)
  const removeEvents = db.prepare(`
    delete from events where seq <= ?
  `)
  const selectLetters = db.prepare(`
    select rowid, sink, seq from dead_letters order by rowid limit ?
  `)
  const removeLetter = db.prepare(`
    delete from dead_letters where rowid = ?
  `)
  const extend = db.prepare(`
    update expired set to_seq = max(to_seq, ?), count = count + ?, expired_at = ?
    where sink = ? and reason = ? and from_seq = (
      select max(from_seq) from expired where sink = ? and reason = ?
    ) and to_seq >= ?
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
  const selectUsage = db.prepare(`
    select
      (select page_count from pragma_page_count) as pages,
      (select freelist_count from pragma_freelist_count) as free,
      (select page_size from pragma_page_size) as pageBytes,
      (select value from counters where name = 'dead_letter_bytes') as letterBytes,
      (select value from counters where name = 'events') as events
  `)

  function usage() {
    const row = selectUsage.get() as Record<
      'pages' | 'free' | 'pageBytes' | 'letterBytes' | 'events',
      number
    >
    const { pages, free, pageBytes, letterBytes, events } = row
    return { usedBytes: (pages - free) * pageBytes, letterBytes, events }
  }

  /** A range goes on where nothing came between: `after` is where it must have reached. */
  function note(
    { sink, fromSeq, toSeq, count }: Omit<ExpiredRange, 'reason' | 'expiredAt'>,
    { reason, after, at }: { reason: Reason; after: number; at: number },
  ): void {
    const { changes } = extend.run(toSeq, count, at, sink, reason, sink, reason, after)
    if (changes === 0) insert.run(sink, reason, fromSeq, toSeq, count, at)
  }

  function expireFor(sink: string, upTo: number, at: number): Pruned['expired'] {
    const cursor = cursors.load(sink)
    if (cursor >= upTo) return []
    const { count, fromSeq } = countLacking.get(cursor, upTo) as { count: number; fromSeq: number }
    cursors.advance(sink, upTo, at)
    if (count === 0) return []
    note({ sink, fromSeq, toSeq: upTo, count }, { reason: 'expired', after: cursor, at })
    return [{ sink, count, toSeq: upTo }]
  }

  return {
    /** One step; see `Retention`. */
    prune(step: PruneStep): Omit<Pruned, 'seconds'> {
      const { events, usedBytes, letterBytes } = usage()
      const isTooMuch = usedBytes > step.maxBytes
      const isCrowded = isTooMuch && letterBytes > LETTERS_SHARE * step.maxBytes
      // About so many events take what is too much.
      const excess =
        isTooMuch && !isCrowded ? Math.ceil(events * (1 - step.maxBytes / usedBytes)) : 0
      const oldest = selectOldest.all(step.limit) as Oldest[]
      const upTo = lastToGo(oldest, { ...step, excess }, (sink) => cursors.load(sink))
      if (upTo === undefined) return { removed: 0, expired: [], usedBytes, isCrowded }
      const expired = step.sinks.flatMap((sink) => expireFor(sink, upTo, step.at))
      return { removed: Number(removeEvents.run(upTo).changes), expired, usedBytes, isCrowded }
    },

    /** Removes up to `limit` dead letters, the oldest first. Returns how many there were. */
    pruneLetters({ limit, at }: { limit: number; at: number }): number {
      const letters = selectLetters.all(limit) as { rowid: number; sink: string; seq: number }[]
      for (const { rowid, sink, seq } of letters) {
        removeLetter.run(rowid)
        note(
          { sink, fromSeq: seq, toSeq: seq, count: 1 },
          { reason: 'letters_expired', after: 0, at },
        )
      }
      return letters.length
    },

    expired: (sink: string | null) =>
      select.all(sink).map((row) => ({ ...row }) as unknown as ExpiredRange),

    /** How many ranges it removed. */
    dropExpired: (sink: string | null) => Number(remove.run(sink).changes),
  }
}

/**
 * The seq up to which events may go. Each was received after those before it, whatever the clock
 * said: what was delivered goes with the last one that is old. What a sink lacks is held dearer: it
 * goes up to the first one that is not old, so that one wrong time can't take others along.
 */
function lastToGo(
  oldest: readonly Oldest[],
  { deliveredBefore, anyBefore, sinks, excess }: PruneStep & { excess: number },
  cursorOf: (sink: string) => number,
): number | undefined {
  const had = Math.min(Number.MAX_SAFE_INTEGER, ...sinks.map(cursorOf))
  const delivered = oldest.findLast(
    ({ seq, receivedAt }) => seq <= had && receivedAt < deliveredBefore,
  )
  const firstYoung = oldest.findIndex(({ receivedAt }) => receivedAt >= anyBefore)
  const old = firstYoung === -1 ? oldest : oldest.slice(0, firstYoung)
  const tooMany = oldest.slice(0, excess)
  const seqs = [delivered, old.at(-1), tooMany.at(-1)].flatMap((event) => event?.seq ?? [])
  return seqs.length === 0 ? undefined : Math.max(...seqs)
}
