import { describe, expect, test } from 'vitest'
import { toApiFault } from '../../src/cloud/api-fault.ts'
import { ServiceError } from '../../src/errors.ts'

const OPERATION = 'UpdateLiveSnapshotNotifyConfig'
const SECRET = 'theNotifyKeyInTheText'

/** The shape in which pop-core rejects with an error answer. */
function apiError(code: string): Error {
  const url = `https://live.example.com/?NotifyAuthKey=${SECRET}`
  return Object.assign(new Error(`${SECRET}, URL: ${url}`), { code, url, data: { Code: code } })
}

describe('an error answer', () => {
  test.each([
    ['ConfigAlreadyExists', 'api_config_exists'],
    ['ConfigNotFound', 'api_config_not_found'],
    ['Throttling', 'api_throttled'],
    ['Throttling.User', 'api_throttled'],
    ['InternalError', 'api_unavailable'],
    ['ServiceUnavailable', 'api_unavailable'],
    ['SignatureNonceUsed', 'api_unavailable'],
    ['InvalidDomain.NotFound', 'api_unknown_domain'],
    ['Forbidden', 'api_denied'],
    ['Forbidden.RAM', 'api_denied'],
    ['NoPermission', 'api_denied'],
    ['IllegalOperation', 'api_denied'],
    ['InvalidIdentity.ServiceDisabled', 'api_denied'],
    ['InvalidTimeStamp.Expired', 'api_signature'],
    ['SignatureDoesNotMatch', 'api_signature'],
    ['InvalidAccessKeyId.NotFound', 'api_signature'],
    ['InvalidSecurityToken.Expired', 'api_signature'],
    ['MissingParam', 'api_parameter'],
    ['MalformedParam', 'api_parameter'],
    ['InvalidNotifyUrl.Malformed', 'api_parameter'],
    ['SomethingNew', 'api_refused'],
  ])('%s is %s', (code, expected) => {
    const fault = toApiFault(OPERATION, apiError(code))
    expect(fault.code).toBe(expected)
    expect(fault.message).toContain(`${OPERATION} was refused (${code}): `)
    expect(fault.message).not.toContain(SECRET)
  })

  test.each([
    ['UpdateLiveSnapshotNotifyConfig', 'deploy/ram-policy.json'],
    ['DeleteLiveSnapshotNotifyConfig', 'deploy/ram-policy-admin.json'],
    ['DescribeLiveSnapshotConfig', 'deploy/ram-policy-doctor.json'],
  ])('what is missing for %s is named: %s', (operation, policy) => {
    expect(toApiFault(operation, apiError('Forbidden.RAM')).message).toContain(` ${policy} `)
  })

  test('a code that is none is not passed on', () => {
    const { message } = toApiFault(OPERATION, apiError(`bad code ${SECRET}`))
    expect(message).not.toContain(SECRET)
  })
})

describe('no answer', () => {
  test('through a proxy: that may be at fault as well', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    expect(toApiFault(OPERATION, refused, true).message).toContain('check the proxy of HTTPS_PROXY')
    expect(toApiFault(OPERATION, refused).message).not.toContain('proxy')
  })

  test.each([
    ['a time-out', Object.assign(new Error(SECRET), { name: 'RequestTimeoutError' }), 'timed out'],
    [
      'a refused connection',
      Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    ['a fault without a code', new Error(SECRET), 'connection failed'],
    ['an answer that is not JSON', { name: 'SyntaxError', text: SECRET }, 'not JSON'],
  ])('%s may pass', (_, rejected, said) => {
    const fault = toApiFault(OPERATION, rejected)
    expect(fault.code).toBe('api_unavailable')
    expect(fault.message).toContain(said)
    expect(fault.message).not.toContain(SECRET)
  })

  test('one of our own faults stays what it is', () => {
    const fault = new ServiceError('x', { code: 'api_credentials' })
    expect(toApiFault(OPERATION, fault)).toBe(fault)
  })
})
