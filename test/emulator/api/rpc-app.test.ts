import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Emulator } from '../../../src/emulator/emulator.ts'
import { until } from '../../support/until.ts'
import { clientOf, configure, emulate } from '../support.ts'

const DESCRIBE = 'DescribeLiveSnapshotNotifyConfig'
const SET = 'DescribeLiveSnapshotConfig'

let emulator: Emulator

beforeEach(async () => {
  emulator = await emulate()
})
afterEach(() => emulator.stop())

describe('the API', () => {
  test('takes calls by POST and by GET, and tells them apart in its log', async () => {
    const call = clientOf(emulator, { securityToken: 'sts-token' })
    await call(SET)
    expect(emulator.state().api).toMatchObject({ getRequests: 0, secretsInUrl: 0 })
    await call(SET, {}, { method: 'GET' })
    expect(emulator.state().api).toMatchObject({
      getRequests: 1,
      secretsInUrl: 1,
      byOperation: { [SET]: 2 },
      byOutcome: { OK: 2 },
      recent: [
        { operation: SET, method: 'POST', outcome: 'OK', domain: 'play.example.com' },
        { operation: SET, method: 'GET', outcome: 'OK' },
      ],
    })
  })

  test.each([
    [{ accessKeyId: 'stranger' }, 'InvalidAccessKeyId.NotFound', 404],
    [{ accessKeySecret: 'wrong' }, 'SignatureDoesNotMatch', 400],
    [{ apiVersion: '2014-11-11' }, 'InvalidApi.NotFound', 404],
  ])('refuses a client with %j: %s', async (config, code, statusCode) => {
    await expect(clientOf(emulator, config)(SET)).rejects.toMatchObject({
      code,
      entry: { response: { statusCode } },
    })
  })

  test('refuses unknown actions, used nonces and old timestamps', async () => {
    const call = clientOf(emulator)
    await expect(call('DeleteEverything')).rejects.toMatchObject({ code: 'InvalidApi.NotFound' })
    await call(SET, { SignatureNonce: 'once' })
    await expect(call(SET, { SignatureNonce: 'once' })).rejects.toMatchObject({
      code: 'SignatureNonceUsed',
    })
    await expect(call(SET, { Timestamp: '2020-01-01T00:00:00Z' })).rejects.toMatchObject({
      code: 'InvalidTimeStamp.Expired',
    })
    expect(emulator.state().api.byOperation).toMatchObject({ unknown: 1, [SET]: 3 })
  })

  test('answers with its own clock', async () => {
    await using early = await emulate({ now: () => Date.parse('2026-01-01T00:00:00Z') })
    const response = await fetch(early.url, { method: 'POST', body: 'Action=x' })
    expect(response.headers.get('date')).toBe('Thu, 01 Jan 2026 00:00:00 GMT')
    expect(response.status).toBe(404)
  })

  test('throttles above thirty calls a second of one operation', async () => {
    const call = clientOf(emulator)
    // Again, since a slow machine may take longer than a second for as many.
    const refused = await until('a call to be throttled', async () => {
      const results = await Promise.allSettled(Array.from({ length: 40 }, () => call(SET)))
      return results.find(({ status }) => status === 'rejected')
    })
    expect(refused).toMatchObject({ reason: { code: 'Throttling.User' } })
  })

  test('knows nothing but its one path', async () => {
    expect((await fetch(`${emulator.url}/other`)).status).toBe(404)
    expect((await fetch(emulator.url, { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(
      413,
    )
  })
})

describe('faults', () => {
  const FAST = { timeout: 50 }

  test.each([
    ['throttling', 'Throttling.User', 400],
    ['internal_error', 'InternalError', 500],
    ['service_unavailable', 'ServiceUnavailable', 503],
    ['forbidden', 'Forbidden.RAM', 403],
    ['signature_mismatch', 'SignatureDoesNotMatch', 400],
    ['unknown_domain', 'InvalidDomain.NotFound', 404],
    ['clock_refused', 'InvalidTimeStamp.Expired', 400],
    ['Throttling.Api', 'Throttling.Api', 400],
  ])('%s is answered as %s', async (fault, code, statusCode) => {
    emulator.setFaults([{ operation: SET, fault, times: 1 }])
    const call = clientOf(emulator)
    await expect(call(SET)).rejects.toMatchObject({ code, entry: { response: { statusCode } } })
    await expect(call(SET)).resolves.toBeDefined()
  })

  test('html_502 and empty_503 are no JSON', async () => {
    const call = clientOf(emulator)
    emulator.setFaults([
      { operation: SET, fault: 'html_502', times: 1 },
      { operation: SET, fault: 'empty_503', times: 1 },
    ])
    await expect(call(SET)).rejects.toMatchObject({ name: 'SyntaxError', text: /^<html>/ })
    await expect(call(SET)).rejects.toMatchObject({ name: 'SyntaxError', text: '' })
  })

  test('empty_object resolves to nothing', async () => {
    emulator.setFaults([{ operation: '*', fault: 'empty_object' }])
    expect(await clientOf(emulator)(SET)).toEqual({})
  })

  test('timeout never answers', async () => {
    emulator.setFaults([{ operation: SET, fault: 'timeout' }])
    await expect(clientOf(emulator)(SET, {}, FAST)).rejects.toMatchObject({
      name: 'RequestTimeoutError',
    })
    await until('the call to arrive', () => emulator.state().api.byOutcome.timeout === 1)
  })

  test('drop applies nothing, applied_then_drop everything', async () => {
    const call = clientOf(emulator)
    emulator.setFaults([
      { operation: 'AddLiveSnapshotNotifyConfig', fault: 'drop', times: 1 },
      { operation: 'AddLiveSnapshotNotifyConfig', fault: 'applied_then_drop', times: 1 },
    ])
    const url = 'https://hook.example.com/cb'
    await expect(configure(call, url)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect(call(DESCRIBE)).rejects.toMatchObject({ code: 'ConfigNotFound' })
    await expect(configure(call, url)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await call(DESCRIBE)).toMatchObject({ NotifyUrl: url })
  })

  test('latency delays, and leaves room for another fault', async () => {
    emulator.setFaults([
      { operation: SET, fault: 'latency', ms: 60 },
      { operation: SET, fault: 'throttling', times: 1 },
    ])
    const call = clientOf(emulator)
    const began = performance.now()
    await expect(call(SET)).rejects.toMatchObject({ code: 'Throttling.User' })
    expect(performance.now() - began).toBeGreaterThan(50)
    await expect(call(SET)).resolves.toBeDefined()
    expect(emulator.state().faults).toEqual([{ operation: SET, fault: 'latency', ms: 60 }])
  })

  test('latency is a second unless it says otherwise', async () => {
    emulator.setFaults([{ operation: SET, fault: 'latency' }])
    await expect(clientOf(emulator)(SET, {}, FAST)).rejects.toMatchObject({
      name: 'RequestTimeoutError',
    })
  })

  test('of one operation leave the others alone', async () => {
    emulator.setFaults([{ operation: DESCRIBE, fault: 'internal_error' }])
    await expect(clientOf(emulator)(SET)).resolves.toBeDefined()
  })
})
