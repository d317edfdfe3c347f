// The list of snapshots that were taken of a stream: `DescribeLiveStreamSnapshotInfo`.

import { formatTime, parseTime } from '../../iso-time.ts'
import type { Shot } from '../../streams/archive.ts'
import { refuse } from '../rpc-errors.ts'
import type { Operation } from './operation.ts'

/** Documented: StartTime and EndTime "cannot exceed one day". */
const MAX_RANGE_MS = 24 * 3_600_000
const DEFAULT_LIMIT = 10

export const describeSnapshotInfo: Operation = {
  required: ['DomainName', 'AppName', 'StreamName', 'StartTime', 'EndTime'],
  run(params, { archive }) {
    const start = parseTime(params.StartTime ?? '')
    const end = parseTime(params.EndTime ?? '')
    if (start === undefined) return refuse('InvalidStartTime.Malformed')
    if (end === undefined) return refuse('InvalidEndTime.Malformed')
    if (end < start || end - start > MAX_RANGE_MS) return refuse('InvalidEndTime.Mismatch')

    const { DomainName, AppName: app = '', StreamName: stream = '' } = params
    const shots = archive.shotsOf({ domain: DomainName.toLowerCase(), app, stream })
    if (!shots) return refuse('InvalidStream.NotFound')
    const inRange = shots.filter(({ at }) => at >= start && at <= end)
    if (params.Order === 'desc') inRange.reverse()
    const limit = Number(params.Limit ?? DEFAULT_LIMIT)
    const next = inRange[limit]
    return {
      fields: {
        LiveStreamSnapshotInfoList: {
          LiveStreamSnapshotInfo: inRange.slice(0, limit).map(describe),
        },
        ...(next && { NextStartTime: formatTime(next.at) }),
      },
    }
  },
}

function describe(shot: Shot) {
  return {
    OssEndpoint: shot.endpoint,
    OssBucket: shot.bucket,
    OssObject: shot.object,
    CreateTime: formatTime(shot.at),
    CreateTimestamp: shot.at,
    IsOverlay: shot.isOverlay,
  }
}
