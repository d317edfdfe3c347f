// The table of operations, and the checks that every one of them makes first.

import { refuse } from '../rpc-errors.ts'
import type { Params } from '../rpc-signature.ts'
import { addAppSnapshotConfig, describeSnapshotConfig } from './app-operations.ts'
import {
  deleteCallbackAuth,
  queryCallbackAuth,
  setCallbackAuth,
} from './callback-auth-operations.ts'
import {
  addNotifyConfig,
  deleteNotifyConfig,
  describeNotifyConfig,
  updateNotifyConfig,
} from './notify-operations.ts'
import type { Operation, Outcome, Provider } from './operation.ts'
import type { OperationName } from './operation-names.ts'
import { findMalformed } from './parameter-rules.ts'
import { describePublishList } from './publish-list-operation.ts'
import { describeSnapshotInfo } from './snapshot-info-operation.ts'

const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  AddLiveSnapshotNotifyConfig: addNotifyConfig,
  UpdateLiveSnapshotNotifyConfig: updateNotifyConfig,
  DescribeLiveSnapshotNotifyConfig: describeNotifyConfig,
  DeleteLiveSnapshotNotifyConfig: deleteNotifyConfig,
  SetSnapshotCallbackAuth: setCallbackAuth,
  QuerySnapshotCallbackAuth: queryCallbackAuth,
  DeleteSnapshotCallbackAuth: deleteCallbackAuth,
  AddLiveAppSnapshotConfig: addAppSnapshotConfig,
  DescribeLiveSnapshotConfig: describeSnapshotConfig,
  DescribeLiveStreamSnapshotInfo: describeSnapshotInfo,
  DescribeLiveStreamsPublishList: describePublishList,
}

/** Checks the parameters of one call and carries it out. */
export function runOperation(name: OperationName, params: Params, provider: Provider): Outcome {
  const operation = OPERATIONS[name]
  const missing = operation.required.find((parameter) => !params[parameter])
  if (missing) return refuse('MissingParam', `${missing} is missing`)
  const malformed = findMalformed(params, operation.rules)
  if (malformed) return refuse('MalformedParam', `${malformed} is malformed`)
  const DomainName = params.DomainName ?? ''
  if (!provider.configurations.knows(DomainName)) return refuse('InvalidDomain.NotFound')
  return operation.run({ ...params, DomainName }, provider)
}
