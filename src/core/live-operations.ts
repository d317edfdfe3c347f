// The provider's operations that we call, and what a call can come to: closed sets, so that a metric
// can be labelled with them.

export const OPERATIONS = [
  'DescribeLiveSnapshotNotifyConfig',
  'AddLiveSnapshotNotifyConfig',
  'UpdateLiveSnapshotNotifyConfig',
  'DeleteLiveSnapshotNotifyConfig',
  'DescribeLiveStreamsPublishList',
  'DescribeLiveStreamSnapshotInfo',
] as const
export type Operation = (typeof OPERATIONS)[number]

/** Called by `doctor` alone: the service needs no permission for it, and no metric counts it. */
export const DESCRIBE_SNAPSHOT_CONFIG = 'DescribeLiveSnapshotConfig'

export const CALL_OUTCOMES = [
  'ok',
  'config_exists',
  'config_not_found',
  'throttled',
  'unavailable',
  'denied',
  'signature',
  'parameter',
  'unknown_domain',
  'unknown_stream',
  'credentials',
  'refused',
] as const
export type CallOutcome = (typeof CALL_OUTCOMES)[number]
