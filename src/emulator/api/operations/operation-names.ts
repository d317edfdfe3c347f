// The operations of the provider's API (product `live`, version 2016-11-01) that are emulated.

export const API_VERSION = '2016-11-01'

export const OPERATION_NAMES = [
  'AddLiveSnapshotNotifyConfig',
  'UpdateLiveSnapshotNotifyConfig',
  'DescribeLiveSnapshotNotifyConfig',
  'DeleteLiveSnapshotNotifyConfig',
  'SetSnapshotCallbackAuth',
  'QuerySnapshotCallbackAuth',
  'DeleteSnapshotCallbackAuth',
  'AddLiveAppSnapshotConfig',
  'DescribeLiveSnapshotConfig',
  'DescribeLiveStreamSnapshotInfo',
  'DescribeLiveStreamsPublishList',
] as const

export type OperationName = (typeof OPERATION_NAMES)[number]

/** True for an action that is emulated. */
export function isOperation(action: string | undefined): action is OperationName {
  return (OPERATION_NAMES as readonly (string | undefined)[]).includes(action)
}
