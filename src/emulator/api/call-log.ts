// What API calls were made: the most recent with their times, so that pacing can be judged, and
// totals of all. Also whether a caller put into a URL what belongs into a body.

import { createRecent } from '../recent.ts'
import { isOperation } from './operations/operation-names.ts'
import type { Params } from './rpc-signature.ts'

/** One call. `outcome` is `OK`, an error code or a fault; null while it is under way. */
export type CallRecord = {
  at: number
  operation: string
  domain: string
  method: string
  outcome: string | null
}

const MAX_RECENT = 1000
const UNKNOWN_OPERATION = 'unknown'
const SECRET_PARAMETERS = ['NotifyAuthKey', 'CallbackAuthKey', 'SecurityToken', 'Signature']

export type CallLog = ReturnType<typeof createCallLog>

/** An empty log. */
export function createCallLog(now: () => number) {
  const recent = createRecent<CallRecord>(MAX_RECENT)
  const byOperation: Record<string, number> = {}
  const byOutcome: Record<string, number> = {}
  let getRequests = 0
  let secretsInUrl = 0
  return {
    /** Notes a call as it arrives; call what is returned with its outcome. */
    begin(method: string, query: Params, params: Params): (outcome: string) => void {
      const operation = isOperation(params.Action) ? params.Action : UNKNOWN_OPERATION
      const domain = params.DomainName ?? ''
      const record: CallRecord = { at: now(), operation, domain, method, outcome: null }
      recent.add(record)
      byOperation[operation] = (byOperation[operation] ?? 0) + 1
      if (method === 'GET') getRequests += 1
      if (SECRET_PARAMETERS.some((name) => name in query)) secretsInUrl += 1
      return (outcome) => {
        record.outcome = outcome
        byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1
      }
    },
    snapshot: () => ({
      byOperation: { ...byOperation },
      byOutcome: { ...byOutcome },
      getRequests,
      secretsInUrl,
      recent: recent.all(),
    }),
  }
}
