// Streams by filter, in SQL; and the events that were kept before streams were, counted in steps.
import type { DatabaseSync } from 'node:sqlite'
import type { NewEvent, StoredEvent } from '../../../core/events/snapshot-event.ts'
import { LATE, SILENT } from '../../../core/events/stream-state.ts'
import type {
  StreamPage,
  StreamPosition,
  StreamQuery,
  StreamSummary,
} from '../../../ports/reading.ts'
import { detailOf } from './stream-details.ts'
import type { SqlStreams } from './streams.ts'

/** Bodies of one step of counting, so that it takes milliseconds however large they are. */
const MAX_STEP_BYTES = 4 * 1024 * 1024

const ORDERS = {
  name: 'domain, app, stream',
  recent: 'seq desc',
  stalest: 'seq',
} as const
const BEHIND = {
  name: '(domain, app, stream) > (:domainBehind, :appBehind, :streamBehind)',
  recent: 'seq < :seqBehind',
  stalest: 'seq > :seqBehind',
} as const
/** As `streamState` says. */
const STATE = `
  case
    when :now - seen_at >= max(${SILENT.leastMs}, ${SILENT.intervals} * coalesce(interval_ms, 0))
      then 'silent'
    when interval_ms is not null
      and :now - seen_at >= max(${LATE.leastMs}, ${LATE.intervals} * interval_ms) then 'late'
    else 'live'
  end
`

type Row = Omit<StreamSummary, 'latest'> & StreamSummary['latest'] & { app: string; stream: string }

export type SqlStreamSearch = ReturnType<typeof createStreamSearch>

export function createStreamSearch(db: DatabaseSync) {
  const prepare = (order: StreamQuery['order'], isBehind: boolean) =>
    db.prepare(`
      select domain, app, stream, events, first_seen_at as firstSeenAt, seq,
        lower(hex(event_id)) as id, bucket, endpoint, object, captured_at as capturedAt,
        received_at as receivedAt, interval_ms as intervalMs, seen_at as seenAt
      from streams join stream_states using (id)
      where (:domain is null or domain = :domain) and (:app is null or app = :app)
        and (:q is null or instr(lower(app || '/' || stream), lower(:q)) > 0)
        and (:state is null or :state = ${STATE})
        and ${isBehind ? BEHIND[order] : 'true'}
      order by ${ORDERS[order]} limit :limit
    `)
  const selectEvent = db.prepare(`
    select seq, lower(hex(id)) as id, domain, origin, received_at as receivedAt,
      occurred_at as occurredAt, body
    from events where seq = ?
  `)

  /** What the latest shot shows: from its event, or as noted when that went. */
  function withDetail(row: Row): Row {
    const event = selectEvent.get(row.seq) as StoredEvent | undefined
    if (event === undefined) return row
    return { ...row, ...detailOf(event), id: event.id, receivedAt: event.receivedAt }
  }

  const both = (order: StreamQuery['order']) => ({
    first: prepare(order, false),
    behind: prepare(order, true),
  })
  const statements = { name: both('name'), recent: both('recent'), stalest: both('stalest') }

  return {
    /** One page; see `Streams`. */
    find({ domain, app, state, q, order, after, limit, now }: StreamQuery): StreamPage {
      const { first, behind } = statements[order]
      const filter = { domain, app, state, q, now, limit: limit + 1 }
      const rows = (
        after === null ? first.all(filter) : behind.all({ ...filter, ...behindOf(after) })
      ) as Row[]
      const streams = rows.slice(0, limit).map((row) => summaryOf(withDetail(row)))
      const last = rows.length > limit ? streams.at(-1) : undefined
      return { streams, next: last === undefined ? null : positionOf(last, order) }
    },
  }
}

/** One step of counting what was kept before streams were. The caller holds the transaction. */
export function createStreamFill(db: DatabaseSync, streams: SqlStreams) {
  const left = db.prepare(`select value from counters where name = 'streams_to_fill'`)
  const setLeft = db.prepare(`update counters set value = ? where name = 'streams_to_fill'`)
  const select = db.prepare(`
    select seq, lower(hex(id)) as id, domain, origin, received_at as receivedAt,
      occurred_at as occurredAt, body
    from events where seq <= ? order by seq desc limit ?
  `)

  /** Whether some are left. */
  return (limit: number): boolean => {
    const upTo = Number(left.get()?.value ?? 0)
    if (upTo === 0) return false
    const seen: { event: NewEvent; seq: number }[] = []
    let bytes = 0
    for (const row of select.iterate(upTo, limit)) {
      const { seq, ...event } = { ...row } as NewEvent & { seq: number }
      bytes += event.body.byteLength
      if (seen.length > 0 && bytes > MAX_STEP_BYTES) break
      seen.push({ event, seq })
    }
    streams.note(seen)
    const last = seen.at(-1)
    setLeft.run(last === undefined ? 0 : last.seq - 1)
    return last !== undefined && last.seq > 1
  }
}

function behindOf(position: StreamPosition): Record<string, string | number> {
  if ('seq' in position) return { seqBehind: position.seq }
  const { domain, app, stream } = position
  return { domainBehind: domain, appBehind: app ?? '', streamBehind: stream ?? '' }
}

function positionOf(summary: StreamSummary, order: StreamQuery['order']): StreamPosition {
  const { domain, app, stream, latest } = summary
  return order === 'name' ? { domain, app, stream } : { seq: latest.seq }
}

function summaryOf(row: Row): StreamSummary {
  const { domain, app, stream, events, firstSeenAt, intervalMs, seenAt, ...latest } = row
  return {
    domain,
    app: app === '' ? null : app,
    stream: stream === '' ? null : stream,
    latest,
    events,
    firstSeenAt,
    intervalMs,
    seenAt,
  }
}
