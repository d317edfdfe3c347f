// Whether the provider's lists can be read, which is what the audit lives on.
import { describeError, faultCode } from '../../errors.ts'
import type { SnapshotLists } from '../../ports/audit.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, problem, notChecked } = findingsOf('audit')
const HOUR_MS = 3_600_000
/** It need not exist: a stream that never was is answered as such, with the permission. */
const ANY_STREAM = { app: 'snaphook-doctor', stream: 'snaphook-doctor' }

/** Makes both calls that the audit makes. `isOff`: the settings have switched it off; `isCut`: no call gets through. */
export async function checkAudit(
  domain: string,
  deps: {
    lists: SnapshotLists
    now: number
    isOff: boolean
    isCut: boolean
    signal: AbortSignal
  },
): Promise<Finding> {
  const { lists, now, isOff, isCut, signal } = deps
  if (isOff) return notChecked(domain, 'the audit is off: shots that are lost stay lost')
  const range = { from: now - HOUR_MS, until: now }
  try {
    const pushes = await lists.pushes(domain, range, signal)
    const [name = ANY_STREAM] = pushes
    await lists.shots({ domain, app: name.app, stream: name.stream }, range, signal)
    const streams = new Set(pushes.map(({ app, stream }) => `${app}/${stream}`)).size
    return ok(domain, `the lists can be read: ${streams} streams ran in the last hour`)
  } catch (error) {
    const isDenied = faultCode(error) === 'api_denied'
    if (isCut && !isDenied) return notChecked(domain, describeError(error))
    const next = isDenied
      ? 'attach deploy/ram-policy-audit.json, or set SNAPHOOK_AUDIT_INTERVAL=off'
      : 'run doctor again if the fault may pass'
    return problem(domain, describeError(error), next)
  }
}
