// Events by filter. A filter may match next to nothing, so the log is gone through in slices of seqs,
// and a call ends where its share of work is done: with where to go on.
import { asksBody } from '../../../core/events/event-filter.ts'
import type { EventPage, EventQuery, EventReading, LogRange } from '../../../ports/reading.ts'
import { gatherPage, partOfBody, withoutSeen } from '../../event-page.ts'
import { withTexts } from '../../event-texts.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'
import type { Session } from '../connection/session.ts'
import { EVENT_COLUMNS, eventOf } from './event-log.ts'

/** Seqs of one statement, and of one call: others wait for it on the same connection. */
const SLICE = 2_048
const MAX_SCANNED = 32_768
const MAX_SCAN_MS = 100
/** Times of receipt follow the seqs but for a clock that was set; that far they may be off, in ms. */
const CLOCK_SLACK_MS = 60_000
/** Entries of the index by identity that one step looks at. */
const INDEX_STEP = 20_000
const DEADLINE_MS = 10_000

export function createEventSearch(link: Link, schema: string): EventReading {
  const q = (statement: string) => inSchema(schema, statement)
  const slice = (direction: 'asc' | 'desc') =>
    q(`
      select ${EVENT_COLUMNS} from @.events e
      where e.seq >= $1 and e.seq <= $2
        and ($3::text is null or domain = $3) and ($4::text is null or origin = $4)
        and ($5::bigint is null or received_at >= $5) and ($6::bigint is null or received_at < $6)
        and ($7::bytea is null or position($7 in body) > 0 or position('\\x5c75'::bytea in body) > 0)
      order by e.seq ${direction} limit $8
    `)
  const slices = { asc: slice('asc'), desc: slice('desc') }
  const selectRange = q(`
    select last::float8 as last, (
        select seq from @.events where seq > floor_seq order by seq limit 1
      )::float8 as oldest
    from (
      select floor_seq, greatest(floor_seq, (select max(to_seq) from @.jumps),
        (select seq from @.log_end_1())) as last
      from @.log_state
    ) s
  `)
  const selectAt = q(`
    select seq::float8 as seq, received_at::float8 as at from @.events e where seq >= $1
    order by e.seq limit 1
  `)
  const selectBySeq = q(`
    select ${EVENT_COLUMNS} from @.events e
    where e.seq = $1 and e.id = decode($2, 'hex') and e.seq > (select floor_seq from @.log_state)
  `)
  const selectStep = q(`
    with step as materialized (
      select seq, occurred_at, id from @.events e
      where (occurred_at, id) < ($1, decode($2, 'hex'))
      order by occurred_at desc, id desc limit ${INDEX_STEP}
    )
    select (select seq from step where id = decode($3, 'hex'))::float8 as found,
      (select count(*) from step)::int as looked, oldest.occurred_at::float8 as "occurredAt",
      encode(oldest.id, 'hex') as id
    from (select occurred_at, id from step order by occurred_at, id limit 1) oldest
  `)

  async function rangeOf(session: Session): Promise<LogRange> {
    const [row] = await session.rows(selectRange)
    const last = Number(row?.last)
    return { first: row?.oldest === null ? last + 1 : Number(row?.oldest), last }
  }

  /** The first seq from which on events were received at `time` or later, about. */
  async function seqAt(session: Session, time: number, { first, last }: LogRange): Promise<number> {
    let low = first
    let high = last + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const [row] = await session.rows(selectAt, [middle])
      if (row === undefined || Number(row.at) >= time) high = middle
      else low = Number(row.seq) + 1
    }
    return low
  }

  async function bounds(session: Session, query: EventQuery, kept: LogRange): Promise<LogRange> {
    const { since, until, upTo = kept.last } = query
    let first = kept.first
    let last = Math.min(kept.last, upTo)
    if (since !== null) first = Math.max(first, await seqAt(session, since - CLOCK_SLACK_MS, kept))
    if (until !== null) {
      last = Math.min(last, (await seqAt(session, until + CLOCK_SLACK_MS, kept)) - 1)
    }
    return withoutSeen({ first, last }, query)
  }

  async function find(session: Session, query: EventQuery): Promise<EventPage> {
    const { order, domain, origin, since, until } = query
    const kept = await rangeOf(session)
    const { first, last } = await bounds(session, query, kept)
    const page = gatherPage(query, kept, { first, last })
    const envelope = [domain, origin, since, until, partOfBody(query)]
    const deadline = performance.now() + MAX_SCAN_MS
    let scanned = 0
    // Where the next statement begins: a slice with many matches is read in parts.
    for (let at = order === 'asc' ? first : last; first <= at && at <= last; ) {
      const edge =
        order === 'asc' ? Math.min(last, at + SLICE - 1) : Math.max(first, at - SLICE + 1)
      const most = asksBody(query) ? SLICE : page.room()
      const span = order === 'asc' ? [at, edge] : [edge, at]
      const rows = await session.rows(slices[order], [...span, ...envelope, most])
      for (const row of rows) {
        const full = page.take(eventOf(row))
        if (full !== undefined) return full
      }
      scanned += SLICE
      at = order === 'asc' ? edge + 1 : edge - 1
      if (scanned >= MAX_SCANNED || performance.now() > deadline) return page.upTo(edge)
    }
    return page.upTo(order === 'asc' ? last : first)
  }

  const findEvents = (query: EventQuery) => link.run((session) => find(session, query), DEADLINE_MS)

  return {
    findEvents,
    ...withTexts(findEvents),
    logRange: () => link.run(rangeOf, DEADLINE_MS),

    async findEvent(id, seq) {
      const at = async (known: number) => {
        const [row] = await link.run(
          (session) => session.rows(selectBySeq, [known, id]),
          DEADLINE_MS,
        )
        return row === undefined ? null : eventOf(row)
      }
      if (seq !== undefined) {
        const known = await at(seq)
        if (known !== null) return known
      }
      // One step at a time, so that other reads come in between.
      let from: [number, string] = [Number.MAX_SAFE_INTEGER, '']
      for (;;) {
        const [step] = await link.run(
          (session) => session.rows(selectStep, [...from, id]),
          DEADLINE_MS,
        )
        if (step === undefined) return null
        if (step.found !== null) return at(Number(step.found))
        if (step.looked !== INDEX_STEP) return null
        from = [Number(step.occurredAt), String(step.id)]
      }
    },
  }
}
