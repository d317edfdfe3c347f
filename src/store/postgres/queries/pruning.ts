// Retention: the floor of the log moves, which is exact and one row; what is wholly below it goes with
// its partition, later and without holding anybody up.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type {
  Expired,
  ExpiredRange,
  Pruned,
  PruneStep,
  Retention,
} from '../../../ports/retention.ts'
import { excessOf, lastToGo, MAX_STEP_BYTES, type Oldest, upToBytes } from '../../prune-rules.ts'
import type { Link } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'
import { type Row, type Session, transact } from '../connection/session.ts'
import type { Dropper } from './partitions.ts'

const DEADLINE_MS = 10_000
/** What an event takes beside its body, about: as `append_1` counts it. */
const EVENT_BYTES = 350

/** Reads and changes on `writing`; `dropper` has its turn after each step. */
export function createRetention(parts: {
  reading: Link
  writing: Link
  location: PostgresLocation
  now: () => number
  /** A step in times of the server, as those of receipt are. */
  stepAt(step: PruneStep): PruneStep
  dropper: Dropper
}): Retention {
  const { reading, writing, location, now, stepAt, dropper } = parts
  const sync = syncOf(location)
  const q = (statement: string) => inSchema(location.schema, statement)
  const selectState = q(`
    select floor_seq::float8 as floor,
      greatest(0, coalesce((select bytes_upto from @.log_end_1()), 0)
        - floor_bytes)::float8 as "eventBytes",
      coalesce((select sum(bytes) from @.letter_totals), 0)::float8 as "letterBytes"
    from @.log_state
  `)
  const selectOldest = q(`
    select seq::float8 as seq, received_at::float8 as "receivedAt", bytes from @.oldest_1($1, $2)
  `)
  const selectCursors = q('select sink, seq::float8 as seq from @.cursors')
  const prune = q('select sink, lost::float8 as lost from @.prune_1($1, $2, $3, $4, $5)')
  const pruneLetters = q(`
    select sink, count(*)::int as lost from @.prune_letters_1($1, $2, $3, $4) group by sink
  `)
  const selectExpired = q(`
    select sink, reason, from_seq::float8 as "fromSeq", to_seq::float8 as "toSeq",
      count::float8 as count, expired_at::float8 as "expiredAt"
    from @.expired where $1::text is null or sink = $1 order by sink collate "C", from_seq
  `)
  const removeExpired = q(`
    delete from @.expired where $1::text is null or sink = $1 returning 1
  `)

  /** What may go, as it looks now: whoever was faster meanwhile shows in the floor. */
  async function look(session: Session, step: PruneStep) {
    const [state] = await session.rows(selectState)
    const floor = Number(state?.floor)
    const letterBytes = Number(state?.letterBytes)
    const usedBytes = Number(state?.eventBytes) + letterBytes
    const { excess, isCrowded } = excessOf({ usedBytes, letterBytes }, step.maxBytes)
    const found = (await session.rows(selectOldest, [floor, step.limit])) as Oldest[]
    const oldest = upToBytes(found, MAX_STEP_BYTES)
    const goesOn = found.length === step.limit || oldest.length < found.length
    const cursors = new Map(
      (await session.rows(selectCursors)).map(({ sink, seq }) => [String(sink), Number(seq)]),
    )
    const had = Math.min(
      Number.MAX_SAFE_INTEGER,
      ...step.sinks.map((sink) => cursors.get(sink) ?? 0),
    )
    const last = lastToGo(oldest, { ...step, had, excess, eventBytes: EVENT_BYTES })
    const removed = last === undefined ? 0 : oldest.indexOf(last) + 1
    return { floor, usedBytes, isCrowded, last, removed, isMore: goesOn && last === oldest.at(-1) }
  }

  return {
    async prune(given) {
      const step = stepAt(given)
      const start = performance.now()
      const pruned = await writing.run(async (session): Promise<Omit<Pruned, 'seconds'>> => {
        const { floor, last, ...seen } = await look(session, step)
        if (last === undefined) return { ...seen, expired: [], isMore: false }
        const values = [sync, floor, last.seq, step.at, step.sinks]
        const rows = await session.rows(prune, values)
        // Somebody else has moved the floor since: the next step looks again.
        if (rows[0]?.sink === null) return { ...seen, removed: 0, expired: [], isMore: true }
        return { ...seen, expired: rows.map((row) => expiredOf(row, last.seq)) }
      }, DEADLINE_MS)
      const seconds = (performance.now() - start) / 1_000
      dropper.drop(pruned.removed > 0)
      return { ...pruned, seconds }
    },

    async pruneLetters(limit) {
      const start = performance.now()
      const values = [sync, limit, MAX_STEP_BYTES, now()]
      const rows = await writing.run((session) => session.rows(pruneLetters, values), DEADLINE_MS)
      const expired = rows.map((row) => expiredOf(row, 0))
      return {
        removed: expired.reduce((sum, { count }) => sum + count, 0),
        expired,
        seconds: (performance.now() - start) / 1_000,
      }
    },

    async readExpired(sink) {
      return (await reading.run(
        (session) => session.rows(selectExpired, [sink]),
        DEADLINE_MS,
      )) as ExpiredRange[]
    },

    async dropExpired(sink) {
      const gone = await writing.run(
        (session) => transact(session, sync, () => session.rows(removeExpired, [sink])),
        DEADLINE_MS,
      )
      return gone.length
    },
  }
}

function expiredOf(row: Row, toSeq: number): Expired {
  return { sink: String(row.sink), count: Number(row.lost), toSeq }
}
