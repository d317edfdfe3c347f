// What goes from the log, and what is noted of it, in SQL. Synchronous; the caller holds the
// transaction. Always from the oldest on, so that a cursor never passes an event that is still there.
import type { DatabaseSync } from 'node:sqlite'
import type { Expired, Pruned, PruneStep } from '../../../ports/retention.ts'
import { excessOf, lastToGo, MAX_STEP_BYTES, type Oldest, upToBytes } from '../../prune-rules.ts'
import type { SqlStreams } from '../streams/streams.ts'
import type { SqlCursors } from './cursors.ts'
import type { SqlExpired } from './expired.ts'

/** What an event takes beside its body, about. */
const EVENT_BYTES = 200

export function createPruning(
  db: DatabaseSync,
  cursors: SqlCursors,
  ranges: SqlExpired,
  streams: SqlStreams,
) {
  const selectOldest = db.prepare(`
    select seq, received_at as receivedAt, length(body) as bytes from events order by seq limit ?
  `)
  const countLacking = db.prepare(`
    select count(*) as count, min(seq) as fromSeq from events where seq > ? and seq <= ?
  `)
  const removeEvents = db.prepare(`
    delete from events where seq <= ?
  `)
  const selectLetters = db.prepare(`
    select rowid, sink, seq, length(body) as bytes from dead_letters order by rowid limit ?
  `)
  const removeLetter = db.prepare(`
    delete from dead_letters where rowid = ?
  `)
  const selectUsage = db.prepare(`
    select
      (select page_count from pragma_page_count) as pages,
      (select freelist_count from pragma_freelist_count) as free,
      (select page_size from pragma_page_size) as pageBytes,
      (select value from counters where name = 'dead_letter_bytes') as letterBytes
  `)

  function usage() {
    const row = selectUsage.get() as Record<'pages' | 'free' | 'pageBytes' | 'letterBytes', number>
    const { pages, free, pageBytes, letterBytes } = row
    return { usedBytes: (pages - free) * pageBytes, letterBytes }
  }

  function expireFor(sink: string, toSeq: number, expiredAt: number): Expired[] {
    const cursor = cursors.load(sink)
    if (cursor >= toSeq) return []
    const { count, fromSeq } = countLacking.get(cursor, toSeq) as { count: number; fromSeq: number }
    cursors.advance(sink, toSeq, expiredAt)
    if (count === 0) return []
    ranges.note({ sink, reason: 'expired', fromSeq, toSeq, count, expiredAt }, cursor)
    return [{ sink, count, toSeq }]
  }

  return {
    /** One step; see `Retention`. */
    prune(step: PruneStep): Omit<Pruned, 'seconds'> {
      const { usedBytes, letterBytes } = usage()
      const { excess, isCrowded } = excessOf({ usedBytes, letterBytes }, step.maxBytes)
      const found = selectOldest.all(step.limit) as Oldest[]
      const oldest = upToBytes(found, MAX_STEP_BYTES)
      const goesOn = found.length === step.limit || oldest.length < found.length
      const had = Math.min(Number.MAX_SAFE_INTEGER, ...step.sinks.map(cursors.load))
      const last = lastToGo(oldest, { ...step, had, excess, eventBytes: EVENT_BYTES })
      if (last === undefined) {
        return { removed: 0, expired: [], usedBytes, isCrowded, isMore: false }
      }
      // Also for sinks that were taken out: put back, one is to know what it missed.
      const sinks = new Set([...step.sinks, ...cursors.list().map(({ sink }) => sink)])
      const expired = [...sinks].flatMap((sink) => expireFor(sink, last.seq, step.at))
      streams.noteBeforeRemoval(last.seq)
      const removed = Number(removeEvents.run(last.seq).changes)
      const isMore = goesOn && last === oldest.at(-1)
      return { removed, expired, usedBytes, isCrowded, isMore }
    },

    /** Removes up to `limit` of the oldest dead letters. */
    pruneLetters({
      limit,
      at,
    }: {
      limit: number
      at: number
    }): Pick<Pruned, 'removed' | 'expired'> {
      const found = selectLetters.all(limit) as {
        rowid: number
        sink: string
        seq: number
        bytes: number
      }[]
      const letters = upToBytes(found, MAX_STEP_BYTES)
      for (const { rowid, sink, seq } of letters) {
        removeLetter.run(rowid)
        const range = {
          sink,
          reason: 'letters_expired',
          fromSeq: seq,
          toSeq: seq,
          count: 1,
        } as const
        ranges.note({ ...range, expiredAt: at }, 0)
      }
      const expired = [...Map.groupBy(letters, ({ sink }) => sink)].map(([sink, gone]) => ({
        sink,
        count: gone.length,
        toSeq: 0,
      }))
      return { removed: letters.length, expired }
    },
  }
}
