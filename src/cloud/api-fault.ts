// Turns what pop-core rejects with into one of our faults. It rejects in four shapes
// (docs/provider.md#api-client), and neither its messages nor the provider's may be passed on: they
// can hold keys and signatures.
import { type FaultCode, ServiceError } from '../errors.ts'

type ApiFaultCode = Extract<FaultCode, `api_${string}`>
type Verdict = readonly [code: ApiFaultCode, advice: string]

const CODE_FORM = /^[A-Za-z0-9._-]{1,80}$/

/** By the provider's `Code`, never by HTTP status: that varies, and pop-core hides it. */
const VERDICTS: readonly (readonly [pattern: RegExp, verdict: Verdict])[] = [
  [/^ConfigAlreadyExists/, ['api_config_exists', 'a configuration exists already']],
  [/^ConfigNotFound/, ['api_config_not_found', 'there is no configuration']],
  [/^Throttling/, ['api_throttled', 'called too often; it is retried more slowly']],
  [
    /^(InternalError|ServiceUnavailable|SignatureNonceUsed)/,
    ['api_unavailable', 'a passing fault of the provider; it is retried'],
  ],
  [
    /^InvalidDomain\.NotFound/,
    ['api_unknown_domain', 'this account has no such streaming domain; check SNAPHOOK_DOMAINS'],
  ],
  [/^InvalidStream\.NotFound/, ['api_unknown_stream', 'the provider has no such stream']],
  [
    /^(Forbidden|NoPermission|IllegalOperation|InvalidIdentity)/,
    ['api_denied', 'allow the live: actions of <policy> to this RAM user or role'],
  ],
  [/^InvalidTimeStamp/, ['api_signature', "this machine's clock is off; synchronise it"]],
  [
    /^(SignatureDoesNotMatch|IncompleteSignature|InvalidAccessKeyId|InvalidSecurityToken)/,
    ['api_signature', 'the access key is wrong, inactive or expired; check the credentials'],
  ],
  [
    /^(MissingParam|MalformedParam|Invalid)/,
    [
      'api_parameter',
      'a parameter is not accepted; check SNAPHOOK_PUBLIC_URL and SNAPHOOK_DOMAINS',
    ],
  ],
]
/** The source of the credentials may have others by now: they were renewed or revoked early. */
const OUTDATED_CREDENTIALS = /^(InvalidSecurityToken|InvalidAccessKeyId)/

/** Whether what a call rejected with says that its credentials are good no more. */
export function areCredentialsOutdated(rejected: unknown): boolean {
  if (!(rejected instanceof Error && 'data' in rejected && 'code' in rejected)) return false
  return typeof rejected.code === 'string' && OUTDATED_CREDENTIALS.test(rejected.code)
}

/** Where an operation is allowed that the service itself does not need. */
const POLICIES: Readonly<Record<string, string>> = {
  DeleteLiveSnapshotNotifyConfig: 'deploy/ram-policy-admin.json',
  DescribeLiveSnapshotConfig: 'deploy/ram-policy-doctor.json',
  DescribeLiveStreamsPublishList: 'deploy/ram-policy-audit.json',
  DescribeLiveStreamSnapshotInfo: 'deploy/ram-policy-audit.json',
}
const POLICY = 'deploy/ram-policy.json'
const OTHER: Verdict = ['api_refused', 'look the code up in the documentation of ApsaraVideo Live']

/** The fault of an operation that answered with an error `Code`. */
export function refusal(operation: string, code: string): ServiceError {
  const shown = CODE_FORM.test(code) ? code : 'unreadable code'
  const [fault, advice] = VERDICTS.find(([pattern]) => pattern.test(code))?.[1] ?? OTHER
  const next = advice.replace('<policy>', POLICIES[operation] ?? POLICY)
  return new ServiceError(`${operation} was refused (${shown}): ${next}`, { code: fault })
}

export function unavailable(operation: string, what: string): ServiceError {
  return new ServiceError(`${operation} got no answer: ${what}`, { code: 'api_unavailable' })
}

/** The fault behind anything that a call of `operation`, perhaps through a proxy, rejected with. */
export function toApiFault(operation: string, rejected: unknown, isProxied = false): ServiceError {
  if (rejected instanceof ServiceError) return rejected
  if (!(rejected instanceof Error)) {
    return unavailable(operation, 'the answer was not JSON; is there a proxy or gateway between?')
  }
  if (rejected.name === 'RequestTimeoutError') return unavailable(operation, 'timed out')
  const code = 'code' in rejected && typeof rejected.code === 'string' ? rejected.code : ''
  if ('data' in rejected) return refusal(operation, code)
  const shown = CODE_FORM.test(code) ? code : 'connection failed'
  const suspects = isProxied
    ? 'the proxy of HTTPS_PROXY, and SNAPHOOK_LIVE_ENDPOINT'
    : 'SNAPHOOK_LIVE_ENDPOINT'
  return unavailable(operation, `network error (${shown}); check ${suspects}`)
}
