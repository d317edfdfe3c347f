// Which calls this account may make: reading ones by making them; writing ones only when asked to,
// by putting back exactly what Describe shows.

import { EMPTY_RING } from '../../core/keys/key-ring.ts'
import { isUsableKey } from '../../core/keys/notify-key.ts'
import { notifyUrl } from '../../core/registration/notify-url.ts'
import type { Observed } from '../../core/registration/observation.ts'
import { formerNotifyUrls, isOurUrl } from '../../core/registration/registration.ts'
import { describeError, faultCode } from '../../errors.ts'
import type { LiveApi } from '../../ports/live-api.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, problem, notChecked } = findingsOf('permission')

export async function checkPermissions(
  domain: string,
  deps: {
    api: LiveApi
    publicUrls: readonly [string, ...string[]]
    /** Also try Update. */
    write: boolean
    signal: AbortSignal
  },
): Promise<Finding[]> {
  const { api, write, signal } = deps
  try {
    const observed = await api.describe(domain, signal)
    const seen = ok(domain, 'Describe is allowed')
    return [seen, write ? await checkUpdate(domain, observed, deps) : notTried(domain)]
  } catch (error) {
    return [problemOf(domain, error)]
  }
}

function notTried(domain: string): Finding {
  return notChecked(domain, 'Add and Update show only when they are used', 'try --write for Update')
}

async function checkUpdate(
  domain: string,
  observed: Observed,
  { api, publicUrls: [publicUrl, ...former], signal }: Parameters<typeof checkPermissions>[1],
): Promise<Finding> {
  if (observed.kind === 'absent') {
    return notChecked(domain, 'nothing is registered that could be put back', 'run register')
  }
  const { url, auth, key } = observed
  const formerUrls = formerNotifyUrls(EMPTY_RING, former, domain)
  if (!isOurUrl(url, { url: notifyUrl(publicUrl, domain), formerUrls })) {
    return notChecked(domain, 'what is registered is not ours: left as it is', 'run plan')
  }
  if (!auth || key === null || !isUsableKey(key)) {
    return notChecked(domain, 'no authentication, or no key is shown that could be put back', null)
  }
  try {
    await api.update(domain, { url, auth: 'yes', key }, signal)
    return ok(domain, 'Update is allowed: what was there was put back')
  } catch (error) {
    return problemOf(domain, error)
  }
}

function problemOf(domain: string, error: unknown): Finding {
  const isDenied = faultCode(error) === 'api_denied'
  const next = isDenied ? 'attach deploy/ram-policy.json' : 'run doctor again if the fault may pass'
  return problem(domain, describeError(error), next)
}
