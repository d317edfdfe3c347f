// What the provider's API can do wrong. What may pass is tried again until all is in sync; what
// waits for a person is said in one sentence, and not tried again and again.
import { describe, expect, test } from 'vitest'
import type { FaultKind } from '../../src/emulator/emulator.ts'
import { serveHere } from '../support/service-here.ts'
import { sendCallback } from '../support/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  readiness,
  type Stage,
  setStage,
  settled,
} from '../support/stage.ts'
import { until } from '../support/until.ts'

const OPERATIONS = ['Describe', 'Add', 'Update'] as const
type Operation = (typeof OPERATIONS)[number]

const PASSING: FaultKind[] = [
  'throttling',
  'html_502',
  'empty_503',
  'empty_object',
  'drop',
  'applied_then_drop',
  'internal_error',
  'service_unavailable',
]
const FINAL: [fault: FaultKind, advice: RegExp][] = [
  ['forbidden', /ram-policy\.json/],
  ['signature_mismatch', /access key/],
  ['unknown_domain', /SNAPHOOK_DOMAINS/],
  ['clock_refused', /clock/],
]

const fullName = (operation: Operation) => `${operation}LiveSnapshotNotifyConfig` as const

/** Sets things up so that the service will call this operation. */
async function stageFor(operation: Operation): Promise<Stage> {
  const stage = await setStage()
  if (operation === 'Update') {
    const registration = { NotifyUrl: stage.callbackUrl(), NotifyReqAuth: 'no' }
    await stage.call('AddLiveSnapshotNotifyConfig', registration)
  }
  return stage
}

async function expectInSync(stage: Stage, service: Parameters<typeof settled>[0]): Promise<void> {
  const { registrations } = await settled(service)
  expect(registrations[0]).toMatchObject({ detail: null, generation: 0 })
  expect(stage.configured()).toEqual({
    NotifyUrl: stage.callbackUrl(),
    NotifyReqAuth: 'yes',
    NotifyAuthKey: keyOf(0),
  })
}

describe.concurrent('an API', () => {
  test('that never answers holds up neither start nor callbacks', async () => {
    await using stage = await setStage()
    stage.emulator.setFaults([{ operation: '*', fault: 'timeout' }])
    await using service = await serveHere(stage)
    const { status } = await sendCallback(stage.callbackUrl(), { key: keyOf(0) })
    expect(status).toBe(200)
    expect((await readiness(service)).registrations[0]?.state).toBe('pending')
    stage.emulator.setFaults([])
    await expectInSync(stage, service)
  })

  test('that refuses is asked again at the next interval', async () => {
    await using stage = await setStage()
    stage.emulator.setFaults([{ operation: '*', fault: 'forbidden', times: 1 }])
    await using service = await serveHere(stage, { SNAPHOOK_RECONCILE_INTERVAL: '1s' })
    await settled(service, 'failed')
    await expectInSync(stage, service)
  })

  test('that takes no call without credentials is not called without', async () => {
    await using stage = await setStage()
    const service = await stage.serve({
      ALIBABA_CLOUD_ACCESS_KEY_ID: '',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: '',
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
    })
    const detail = await until('a word on it', async () => {
      return (await readiness(service)).registrations[0]?.detail
    })
    expect(detail).toMatch(/^no Alibaba Cloud credentials found: set ALIBABA_CLOUD_ACCESS_KEY_ID/)
    expect(stage.calls('Describe')).toBe(0)
  })
})

describe.concurrent.each(OPERATIONS)('%s', (operation) => {
  test.each(PASSING)('%s, twice: tried again until all is in sync', async (fault) => {
    await using stage = await stageFor(operation)
    stage.emulator.setFaults([{ operation: fullName(operation), fault, times: 2 }])
    await using service = await serveHere(stage)
    await expectInSync(stage, service)
    expect((await readiness(service)).status).toBe(200)
    // A write that took effect before the connection broke is found, and not made again. Looks are
    // the two that failed, the one that finds nothing, and the one that verifies.
    const applied = fault === 'applied_then_drop' ? 1 : 3
    expect(stage.calls(operation)).toBe(operation === 'Describe' ? 4 : applied)
    expect(service.log().filter(({ level }) => level === 'error')).toEqual([])
  })

  test.each(FINAL)('%s: failed, said once, and left alone', async (fault, advice) => {
    await using stage = await stageFor(operation)
    stage.emulator.setFaults([{ operation: fullName(operation), fault }])
    await using service = await serveHere(stage)
    const { registrations, reasons } = await settled(service, 'failed')
    const detail = registrations[0]?.detail ?? ''
    expect(detail).toMatch(advice)
    expect(detail).toMatch(/^[^\n]{20,200}$/)
    expect(reasons).toEqual(['no notify key in force is known yet'])
    const errors = service.log().filter(({ level }) => level === 'error')
    expect(errors).toEqual([{ level: 'error', msg: 'registration failed', domain: DOMAIN, detail }])
    const state = { domain: DOMAIN, state: 'failed' }
    expect((await metricsOf(service)).value('snaphook_registration_state', state)).toBe(1)
    // The receiver serves all the same.
    expect((await sendCallback(stage.callbackUrl(), { key: keyOf(0) })).status).toBe(200)
    expect(stage.calls(operation)).toBe(1)
  })
})

describe.concurrent('a race', () => {
  test.each([
    ['Add', 'ConfigAlreadyExists'],
    ['Update', 'ConfigNotFound'],
  ] as const)('%s answers %s: looked at and planned again', async (operation, fault) => {
    await using stage = await stageFor(operation)
    stage.emulator.setFaults([{ operation: fullName(operation), fault, times: 1 }])
    await using service = await serveHere(stage)
    await expectInSync(stage, service)
    expect(stage.calls(operation)).toBe(2)
    expect(service.log().filter(({ level }) => level === 'error')).toEqual([])
  })
})
