// The list of streams that were pushed: `DescribeLiveStreamsPublishList`.
import { formatTime, parseTime } from '../../iso-time.ts'
import type { PushRecord } from '../../streams/push-history.ts'
import type { Switches } from '../../switches.ts'
import { refuse } from '../rpc-errors.ts'
import type { Params } from '../rpc-signature.ts'
import type { Operation } from './operation.ts'
import { isWholeBetween } from './parameter-rules.ts'

/** Documented: at most 30 days apart, and within the last 30 days. */
const MAX_RANGE_MS = 30 * 24 * 3_600_000
const MAX_PAGE_SIZE = 3_000
const DEFAULT_PAGE_SIZE = 2_000
const ORDERS = [
  'publish_time_asc',
  'publish_time_desc',
  'stream_name_asc',
  'stream_name_desc',
] as const

export const describePublishList: Operation = {
  required: ['DomainName', 'StartTime', 'EndTime'],
  rules: {
    PageSize: isWholeBetween(1, MAX_PAGE_SIZE),
    PageNumber: isWholeBetween(1, Number.MAX_SAFE_INTEGER),
    QueryType: (value) => value === 'fuzzy' || value === 'strict',
    OrderBy: (value) => (ORDERS as readonly string[]).includes(value),
  },
  run(params, { history, switches, now }) {
    const start = parseTime(params.StartTime ?? '')
    const end = parseTime(params.EndTime ?? '')
    if (start === undefined) return refuse('InvalidStartTime.Malformed')
    if (end === undefined) return refuse('InvalidEndTime.Malformed')
    const isTooLong = end - start > MAX_RANGE_MS || start < now() - MAX_RANGE_MS
    if (end < start || isTooLong) return refuse('InvalidEndTime.Mismatch')

    const found = history
      .activeIn(params.DomainName.toLowerCase(), start, end)
      .filter((record) => isAskedFor(record, params))
    const inOrder = sorted(found, params.OrderBy ?? ORDERS[0])
    const size = Number(params.PageSize ?? DEFAULT_PAGE_SIZE)
    const page = Number(params.PageNumber ?? 1)
    const rows = inOrder.slice((page - 1) * size, page * size)
    return {
      fields: {
        PageNum: page,
        PageSize: size,
        TotalNum: found.length,
        TotalPage: Math.ceil(found.length / size),
        PublishInfo: {
          LiveStreamPublishInfo: rows.map((record) => describe(record, switches())),
        },
      },
    }
  },
}

/** By default a part of a name is enough. */
function isAskedFor({ app, stream }: PushRecord, params: Params): boolean {
  const { AppName, StreamName, QueryType } = params
  const matches = (name: string, wanted = '') =>
    QueryType === 'strict' ? wanted === '' || name === wanted : name.includes(wanted)
  return matches(app, AppName) && matches(stream, StreamName)
}

function sorted(records: readonly PushRecord[], order: string): PushRecord[] {
  const direction = order.endsWith('_desc') ? -1 : 1
  return order.startsWith('stream_name')
    ? records.toSorted((a, b) => direction * a.stream.localeCompare(b.stream, 'en'))
    : records.toSorted((a, b) => direction * (a.from - b.from))
}

function describe({ domain, app, stream, from, until }: PushRecord, switches: Switches) {
  const running = switches.stop_time === 'empty' ? { StopTime: '' } : {}
  return {
    DomainName: domain,
    AppName: app,
    StreamName: stream,
    PublishTime: formatTime(from),
    ...(until === undefined ? running : { StopTime: formatTime(until) }),
    PublishDomain: `push.${domain}`,
    PublishType: 'edge',
    ClientAddr: '192.0.2.1',
    EdgeNodeAddr: '192.0.2.2',
    // As the provider's may: with what authenticates the push.
    PublishUrl: `rtmp://push.${domain}/${app}/${stream}?auth_key=emulated-ingest-secret`,
    StreamUrl: `rtmp://${domain}/${app}/${stream}`,
    Transcoded: 'no',
  }
}
