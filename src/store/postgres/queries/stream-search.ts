// Streams by filter.
import { LATE, SILENT } from '../../../core/events/stream-state.ts'
import type {
  StreamPage,
  StreamPosition,
  StreamQuery,
  StreamSummary,
} from '../../../ports/reading.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'
import type { Row } from '../connection/session.ts'

const DEADLINE_MS = 10_000

const ORDERS = {
  name: 'domain collate "C", app collate "C", stream collate "C"',
  recent: 's.seq desc',
  stalest: 's.seq',
} as const
const BEHIND = {
  name: `(domain collate "C", app collate "C", stream collate "C") > ($6, $7, $8)`,
  recent: 's.seq < $6::bigint',
  stalest: 's.seq > $6::bigint',
} as const
/** As `streamState` says. */
const STATE = `
  case
    when $4::bigint - seen_at
      >= greatest(${SILENT.leastMs}, ${SILENT.intervals} * coalesce(interval_ms, 0)) then 'silent'
    when interval_ms is not null
      and $4::bigint - seen_at >= greatest(${LATE.leastMs}, ${LATE.intervals} * interval_ms)
      then 'late'
    else 'live'
  end
`

export function createStreamSearch(link: Link, schema: string) {
  const statement = (order: StreamQuery['order'], isBehind: boolean) =>
    inSchema(
      schema,
      `select domain, app, stream, events::float8 as events,
         first_seen_at::float8 as "firstSeenAt", s.seq::float8 as seq, event_id as id, bucket,
         endpoint, object, captured_at::float8 as "capturedAt",
         received_at::float8 as "receivedAt", interval_ms::float8 as "intervalMs",
         seen_at::float8 as "seenAt"
       from @.streams s
       where ($1::text is null or domain = $1) and ($2::text is null or app = $2)
         and ($3::text is null or position(lower($3) in lower(app || '/' || stream)) > 0)
         and ($5::text is null or $5 = ${STATE})
         and ${isBehind ? BEHIND[order] : 'true'}
       order by ${ORDERS[order]} limit ${isBehind ? (order === 'name' ? '$9' : '$7') : '$6'}`,
    )

  /** One page; see `Streams`. */
  return async function findStreams(query: StreamQuery): Promise<StreamPage> {
    const { domain, app, state, q, order, after, limit, now } = query
    const values = [
      domain,
      app,
      q,
      now,
      state,
      ...(after === null ? [] : behindOf(after)),
      limit + 1,
    ]
    const rows = await link.run(
      (session) => session.rows(statement(order, after !== null), values),
      DEADLINE_MS,
    )
    const streams = rows.slice(0, limit).map(summaryOf)
    const last = rows.length > limit ? streams.at(-1) : undefined
    return { streams, next: last === undefined ? null : positionOf(last, order) }
  }
}

function behindOf(position: StreamPosition): unknown[] {
  if ('seq' in position) return [position.seq]
  return [position.domain, position.app ?? '', position.stream ?? '']
}

function positionOf(summary: StreamSummary, order: StreamQuery['order']): StreamPosition {
  const { domain, app, stream, latest } = summary
  return order === 'name' ? { domain, app, stream } : { seq: latest.seq }
}

function summaryOf(row: Row): StreamSummary {
  const { domain, app, stream, events, firstSeenAt, intervalMs, seenAt, ...latest } = row
  const name = (text: unknown) => (text === '' ? null : String(text))
  return {
    domain: String(domain),
    app: name(app),
    stream: name(stream),
    latest: latest as StreamSummary['latest'],
    events: Number(events),
    firstSeenAt: Number(firstSeenAt),
    intervalMs: intervalMs === null ? null : Number(intervalMs),
    seenAt: Number(seenAt),
  }
}
