// Streams by filter, in SQL: as their tables say, and the end of the log.
import type { DatabaseSync } from 'node:sqlite'
import type { StoredEvent } from '../../../core/events/snapshot-event.ts'
import { LATE, SILENT } from '../../../core/events/stream-state.ts'
import type {
  StreamPage,
  StreamPosition,
  StreamQuery,
  StreamSummary,
} from '../../../ports/reading.ts'
import { detailOf } from './stream-details.ts'
import { createStreamTail } from './stream-tail.ts'

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

/** What the tail has comes from there; what a shot showed whose event is gone is noted in `streams`. */
const NOW = `
  select streams.id, domain, app, stream, events, first_seen_at, seq, seen_at, interval_ms,
    event_id, bucket, endpoint, object, captured_at, received_at
  from streams join stream_states using (id)
  where streams.id not in (select id from temp.stream_tail)
  union all
  select tail.id, tail.domain, tail.app, tail.stream, tail.events, tail.first_seen_at, tail.seq,
    tail.seen_at, tail.interval_ms,
    event_id, bucket, endpoint, object, captured_at, received_at
  from temp.stream_tail as tail left join streams using (id)
`

type Row = Omit<StreamSummary, 'latest'> & StreamSummary['latest'] & { app: string; stream: string }

/** Beside a writer, on its connection or another one. */
export function createStreamSearch(db: DatabaseSync) {
  // Most connections are never asked for streams.
  let search: ReturnType<typeof prepareSearch> | undefined
  return {
    /** One page; see `Streams`. */
    find(query: StreamQuery): StreamPage {
      search ??= prepareSearch(db)
      return search.find(query)
    },
  }
}

function prepareSearch(db: DatabaseSync) {
  const tail = createStreamTail(db)
  const prepare = (order: StreamQuery['order'], isBehind: boolean) =>
    db.prepare(`
      select domain, app, stream, events, first_seen_at as firstSeenAt, seq,
        lower(hex(event_id)) as id, bucket, endpoint, object, captured_at as capturedAt,
        received_at as receivedAt, interval_ms as intervalMs, seen_at as seenAt
      from (${NOW})
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

  function read({ domain, app, state, q, order, after, limit, now }: StreamQuery): StreamPage {
    tail.fill()
    const { first, behind } = statements[order]
    const filter = { domain, app, state, q, now, limit: limit + 1 }
    const rows = (
      after === null ? first.all(filter) : behind.all({ ...filter, ...behindOf(after) })
    ) as Row[]
    const streams = rows.slice(0, limit).map((row) => summaryOf(withDetail(row)))
    const last = rows.length > limit ? streams.at(-1) : undefined
    return { streams, next: last === undefined ? null : positionOf(last, order) }
  }

  return {
    find(query: StreamQuery): StreamPage {
      // One moment for all that is read.
      db.exec('begin')
      try {
        const page = read(query)
        db.exec('commit')
        return page
      } catch (error) {
        if (db.isTransaction) db.exec('rollback')
        tail.forget()
        throw error
      }
    },
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
