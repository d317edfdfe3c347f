// The list of snapshots that were taken of a stream: `DescribeLiveStreamSnapshotInfo`.
import { parseDuration } from '../../duration.ts'
import { formatTime, parseTime } from '../../iso-time.ts'
import type { Shot } from '../../streams/archive.ts'
import type { Switches } from '../../switches.ts'
import { refuse } from '../rpc-errors.ts'
import type { Operation } from './operation.ts'

/** Documented: StartTime and EndTime "cannot exceed one day". */
const MAX_RANGE_MS = 24 * 3_600_000
const DEFAULT_LIMIT = 10

export const describeSnapshotInfo: Operation = {
  required: ['DomainName', 'AppName', 'StreamName', 'StartTime', 'EndTime'],
  run(params, { archive, now, switches }) {
    const start = parseTime(params.StartTime ?? '')
    const end = parseTime(params.EndTime ?? '')
    if (start === undefined) return refuse('InvalidStartTime.Malformed')
    if (end === undefined) return refuse('InvalidEndTime.Malformed')
    if (end < start || end - start > MAX_RANGE_MS) return refuse('InvalidEndTime.Mismatch')

    const { DomainName, AppName: app = '', StreamName: stream = '' } = params
    const shots = archive.shotsOf({ domain: DomainName.toLowerCase(), app, stream })
    if (!shots) return refuse('InvalidStream.NotFound')
    const { list_lag, list_ends, next_start_time } = switches()
    const newest = now() - (parseDuration(list_lag) ?? 0)
    const isInside = ({ at }: Shot) =>
      list_ends === 'with' ? at >= start && at <= end : at > start && at < end
    const inRange = shots.filter((shot) => isInside(shot) && shot.at <= newest)
    if (params.Order === 'desc') inRange.reverse()
    const limit = Number(params.Limit ?? DEFAULT_LIMIT)
    const page = inRange.slice(0, limit)
    const next = next_start_time === 'last_returned' ? page.at(-1) : inRange[limit]
    return {
      fields: {
        LiveStreamSnapshotInfoList: {
          LiveStreamSnapshotInfo: page.map((shot) => describe(shot, switches())),
        },
        ...(inRange.length > limit && next && { NextStartTime: formatTime(next.at) }),
      },
    }
  },
}

function describe(shot: Shot, { list_numbers }: Switches) {
  return {
    OssEndpoint: shot.endpoint,
    OssBucket: shot.bucket,
    OssObject: shot.object,
    CreateTime: formatTime(shot.at),
    CreateTimestamp: list_numbers === 'text' ? String(shot.at) : shot.at,
    IsOverlay: list_numbers === 'text' ? String(shot.isOverlay) : shot.isOverlay,
  }
}
