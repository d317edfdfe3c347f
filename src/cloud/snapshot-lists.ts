// What the provider lists of the past (docs/provider.md#the-past): pushes, and the shots of a stream.
// Read tolerantly:
// numbers may come as texts, and optional fields not at all. An answer holds push URLs with ingest
// keys: nothing of it but what is named here goes any further.
import type { Range } from '../core/audit/ranges.ts'
import type { ListedShot, Push } from '../core/audit/shots.ts'
import { faultCode } from '../errors.ts'
import type { SnapshotLists } from '../ports/audit.ts'

type Answer = Readonly<Record<string, unknown>>
type Call = (
  operation: 'DescribeLiveStreamsPublishList' | 'DescribeLiveStreamSnapshotInfo',
  params: Record<string, string>,
  signal: AbortSignal,
) => Promise<Answer>

/** The largest pages that the provider gives. */
const PUSHES_PAGE = 3_000
const SHOTS_PAGE = 100
/** Far more than a day of one stream; an answer that never ends is not followed. */
const MAX_PAGES = 1_000
const SECOND_MS = 1_000
/** Whether a range includes its ends is not documented, and times are whole seconds. */
const RANGE_PAD_MS = 2 * SECOND_MS
/** A Unix time above this is in milliseconds. */
const MILLISECONDS_FROM = 1e11

/** The lists, through `call`, which paces and checks. */
export function createSnapshotLists(call: Call): SnapshotLists {
  return {
    async pushes(domain, range, signal) {
      const pushes: Push[] = []
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        const params = {
          DomainName: domain,
          ...timesOf(range),
          PageSize: `${PUSHES_PAGE}`,
          PageNumber: `${page}`,
        }
        const answer = await call('DescribeLiveStreamsPublishList', params, signal)
        const rows = rowsOf(answer.PublishInfo, 'LiveStreamPublishInfo')
        pushes.push(...rows.flatMap(pushOf))
        if (!(page < Number(answer.TotalPage)) || rows.length === 0) break
      }
      return pushes
    },

    async shots({ domain, app, stream }, range, signal) {
      const found = new Map<string, ListedShot>()
      const { StartTime, EndTime } = timesOf(range)
      const params = { DomainName: domain, AppName: app, StreamName: stream, EndTime }
      let start = StartTime
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        const answer = await pageFrom({ ...params, StartTime: start, Limit: `${SHOTS_PAGE}` })
        const rows = rowsOf(answer?.LiveStreamSnapshotInfoList, 'LiveStreamSnapshotInfo')
        const before = found.size
        for (const shot of rows.flatMap(shotOf)) {
          found.set(`${shot.at} ${shot.isOverlay} ${shot.object}`, shot)
        }
        const next = timeOf(answer?.NextStartTime)
        if (next === null || next > Date.parse(EndTime)) break
        // It may name an item that was had: asked from it inclusively, but always onwards.
        const isStuck = found.size === before && next <= Date.parse(start)
        start = isoSeconds(isStuck ? Date.parse(start) + SECOND_MS : next)
      }
      return [...found.values()]

      async function pageFrom(wanted: Record<string, string>): Promise<Answer | undefined> {
        try {
          return await call('DescribeLiveStreamSnapshotInfo', wanted, signal)
        } catch (fault) {
          if (faultCode(fault) === 'api_unknown_stream') return undefined
          throw fault
        }
      }
    },
  }
}

function timesOf({ from, until }: Range) {
  return {
    StartTime: isoSeconds(Math.floor((from - RANGE_PAD_MS) / SECOND_MS) * SECOND_MS),
    EndTime: isoSeconds(Math.ceil((until + RANGE_PAD_MS) / SECOND_MS) * SECOND_MS),
  }
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function rowsOf(list: unknown, name: string): Answer[] {
  const rows = typeof list === 'object' && list !== null ? (list as Answer)[name] : undefined
  const isRow = (row: unknown): row is Answer => typeof row === 'object' && row !== null
  return Array.isArray(rows) ? rows.filter(isRow) : []
}

function pushOf({ AppName, StreamName, PublishTime, StopTime }: Answer): Push[] {
  const app = textOf(AppName)
  const stream = textOf(StreamName)
  if (app === null || stream === null) return []
  const from = timeOf(PublishTime)
  const stop = timeOf(StopTime)
  // What a push that still runs shows is not documented: a stop before the beginning is none.
  const until = stop !== null && stop >= (from ?? 0) ? stop : null
  return [{ app, stream, from, until }]
}

function shotOf(item: Answer): ListedShot[] {
  const createTimestamp = numberOf(item.CreateTimestamp)
  const at = createTimestamp === null ? timeOf(item.CreateTime) : msOf(createTimestamp)
  if (at === null) return []
  return [
    {
      at,
      object: textOf(item.OssObject),
      bucket: textOf(item.OssBucket),
      endpoint: textOf(item.OssEndpoint),
      isOverlay: item.IsOverlay === true || /^true$/i.test(String(item.IsOverlay)),
      createTime: textOf(item.CreateTime),
      createTimestamp,
    },
  ]
}

function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}

/** Numbers may be texts; pop-core makes large ones objects with `toString`. */
function numberOf(value: unknown): number | null {
  const text = String(value ?? '')
  return /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : null
}

function msOf(time: number): number {
  return Math.trunc(time >= MILLISECONDS_FROM ? time : time * SECOND_MS)
}

function timeOf(value: unknown): number | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) || time <= 0 ? null : time
}
