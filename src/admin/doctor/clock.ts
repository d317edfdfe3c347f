// This machine's clock against the provider's: signatures of calls and of callbacks both need it.
import { showDuration } from '../../core/duration.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warning, problem, notChecked } = findingsOf('clock')

/** The provider refuses calls that are further off (docs/provider.md#operations). */
const REFUSED_MS = 15 * 60_000
/** `Date` has whole seconds, and travels: less says nothing. */
const NOTABLE_MS = 5_000
const NEXT = 'synchronise the clock of this machine (NTP)'

/** `providerTime`: epoch ms from an answer of the API, or null where none came. */
export function checkClock(deps: {
  endpoint: string
  providerTime: number | null
  now: number
  /** As configured; undefined: callbacks are not compared with the clock. */
  clockSkewSeconds: number | undefined
}): Finding {
  const { endpoint, providerTime, now, clockSkewSeconds = Infinity } = deps
  if (providerTime === null) {
    return notChecked(endpoint, 'no answer with a date came', 'check SNAPHOOK_LIVE_ENDPOINT')
  }
  const offMs = Math.abs(now - providerTime)
  const off = `${showDuration(offMs)} ${now > providerTime ? 'ahead of' : 'behind'} the provider's`
  if (offMs > Math.min(REFUSED_MS, clockSkewSeconds * 1_000)) {
    return problem(endpoint, `this clock is ${off}: calls or callbacks are refused`, NEXT)
  }
  if (offMs > NOTABLE_MS) return warning(endpoint, `this clock is ${off}`, NEXT)
  return ok(endpoint, "in step with the provider's clock")
}
