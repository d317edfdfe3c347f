import { describe, expect, test } from 'vitest'
import { sameSignature, signRequest } from '../../../src/emulator/api/rpc-signature.ts'

const params = {
  Action: 'UpdateLiveSnapshotNotifyConfig',
  Format: 'JSON',
  Version: '2016-11-01',
  Timestamp: '2026-01-01T00:00:00Z',
  AccessKeyId: 'testid',
  SignatureMethod: 'HMAC-SHA1',
  SignatureVersion: '1.0',
  SignatureNonce: 'nonce1',
  DomainName: 'play.example.com',
  NotifyUrl: 'https://hook.example.com/cb',
  NotifyReqAuth: 'yes',
  NotifyAuthKey: 'testkeyyourkey12',
}

describe('the RPC signature', () => {
  test('is the known answer', () => {
    expect(signRequest('POST', params, 'testsecret')).toBe('jZAI2AZ1ffSeTNU/3sqhX/uR+/k=')
  })

  test('leaves out the signature itself', () => {
    const signed = { ...params, Signature: 'anything' }
    expect(signRequest('POST', signed, 'testsecret')).toBe('jZAI2AZ1ffSeTNU/3sqhX/uR+/k=')
  })

  test('depends on method, values and secret', () => {
    const all = [
      signRequest('POST', params, 'testsecret'),
      signRequest('GET', params, 'testsecret'),
      signRequest('POST', { ...params, RegionId: "a b*(c)'!~" }, 'testsecret'),
      signRequest('POST', params, 'other'),
    ]
    expect(new Set(all).size).toBe(4)
  })

  test.each([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'abcd', false],
  ])('compares %s with %s', (expected, given, same) => {
    expect(sameSignature(expected, given)).toBe(same)
  })
})
