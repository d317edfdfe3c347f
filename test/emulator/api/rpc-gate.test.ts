import { describe, expect, test } from 'vitest'
import { createGate } from '../../../src/emulator/api/rpc-gate.ts'
import { signRequest } from '../../../src/emulator/api/rpc-signature.ts'
import { createThrottle } from '../../../src/emulator/api/throttle.ts'
import { formatTime } from '../../../src/emulator/iso-time.ts'

const NOON = Date.parse('2026-01-01T12:00:00Z')
const MINUTE_MS = 60_000

function gateAt(clock: { now: number }) {
  const gate = createGate({
    accessKeyId: 'testid',
    accessKeySecret: 'testsecret',
    now: () => clock.now,
  })
  return (overrides: Record<string, string> = {}) => {
    const params = {
      AccessKeyId: 'testid',
      Timestamp: formatTime(clock.now),
      SignatureNonce: 'nonce-1',
      ...overrides,
    }
    const Signature = signRequest('POST', params, 'testsecret')
    return gate.check('POST', { ...params, Signature, ...overrides })?.code
  }
}

describe('the gate', () => {
  test.each([
    [{}, undefined],
    [{ AccessKeyId: '' }, 'MissingAccessKeyId'],
    [{ AccessKeyId: 'stranger' }, 'InvalidAccessKeyId.NotFound'],
    [{ Timestamp: 'yesterday' }, 'InvalidTimeStamp.Format'],
    [{ Timestamp: '2026-01-01T12:14:59Z' }, undefined],
    [{ Timestamp: '2026-01-01T12:15:01Z' }, 'InvalidTimeStamp.Expired'],
    [{ Timestamp: '2026-01-01T11:44:59Z' }, 'InvalidTimeStamp.Expired'],
    [{ Signature: 'c2lnbmF0dXJl' }, 'SignatureDoesNotMatch'],
    [{ Signature: '' }, 'SignatureDoesNotMatch'],
  ])('answers %j with %s', (overrides, code) => {
    expect(gateAt({ now: NOON })(overrides)).toBe(code)
  })

  test('refuses a nonce again, until its call would be too old anyway', () => {
    const clock = { now: NOON }
    const check = gateAt(clock)
    expect(check()).toBeUndefined()
    clock.now += 14 * MINUTE_MS
    expect(check()).toBe('SignatureNonceUsed')
    clock.now += 31 * MINUTE_MS
    expect(check()).toBeUndefined()
  })

  test('does not spend a nonce on a call that was refused', () => {
    const check = gateAt({ now: NOON })
    expect(check({ Signature: 'forged' })).toBe('SignatureDoesNotMatch')
    expect(check()).toBeUndefined()
  })
})

describe('the throttle', () => {
  test('admits thirty calls a second of each operation', () => {
    const clock = { now: NOON }
    const admit = createThrottle(() => clock.now)
    const calls = Array.from({ length: 31 }, () => admit('Describe'))
    expect(calls.indexOf(false)).toBe(30)
    expect(admit('Update')).toBe(true)
    clock.now += 1000
    expect(admit('Describe')).toBe(true)
  })
})
