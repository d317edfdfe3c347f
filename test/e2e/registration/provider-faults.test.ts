// What the provider's API can do wrong. What may pass is tried again until all is in sync; what
// waits for a person is said in one sentence, and not tried again and again.
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/app/system-clock.ts'
import { runCli } from '../../../src/cli/cli.ts'
import type { FaultKind } from '../../../src/emulator/emulator.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { keptWorld, serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  type LogLine,
  metricsOf,
  type Running,
  readiness,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { testShell } from '../../support/service/test-shell.ts'
import { until } from '../../support/until.ts'

const OPERATIONS = ['Describe', 'Add', 'Update'] as const
type Operation = (typeof OPERATIONS)[number]
type Calls = Readonly<Record<Operation, number>>
type Told = readonly [level: string, msg: string]

const PASSING: [fault: FaultKind, reason: RegExp][] = [
  ['timeout', /timed out/],
  ['throttling', /Throttling\.User.*too often/],
  ['html_502', /not JSON/],
  ['empty_503', /not JSON/],
  ['empty_object', /no RequestId/],
  ['drop', /network error \(\w+\)/],
  ['applied_then_drop', /network error \(\w+\)/],
  ['internal_error', /InternalError.*passing/],
  ['service_unavailable', /ServiceUnavailable.*passing/],
]
const FINAL: [fault: FaultKind, advice: RegExp][] = [
  ['forbidden', /ram-policy(-admin)?\.json/],
  ['signature_mismatch', /access key/],
  ['unknown_domain', /SNAPHOOK_DOMAINS/],
  ['clock_refused', /clock/],
]

const FAILED: Told = ['warn', 'a look failed; it is tried again']
const AGAIN: Told = ['info', 'looks succeed again']
const REGISTERED: Told = ['info', 'registered']
/** What is told when the write is begun. */
const BEGUN: Readonly<Record<Operation, Told>> = {
  Describe: ['info', 'nothing registered, creating it'],
  Add: ['info', 'nothing registered, creating it'],
  Update: ['warn', 'repairing the registration'],
}

/** What a fault that comes twice costs: each look begins with a Describe, and one verifies. */
function costOf(operation: Operation, fault: FaultKind): { calls: Calls; told: Told[] } {
  const begun = BEGUN[operation]
  if (operation === 'Describe') {
    return { calls: { Describe: 4, Add: 1, Update: 0 }, told: [FAILED, begun, AGAIN, REGISTERED] }
  }
  const none = { Describe: 0, Add: 0, Update: 0 }
  // A write that took effect before the connection broke is found, and not made again.
  return fault === 'applied_then_drop'
    ? { calls: { ...none, Describe: 2, [operation]: 1 }, told: [begun, FAILED, REGISTERED, AGAIN] }
    : { calls: { ...none, Describe: 4, [operation]: 3 }, told: [begun, FAILED, AGAIN, REGISTERED] }
}

/** Waits a fifth of the time: a call that is never answered has timed out after 3 s. */
const hurried: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 5, signal),
}

const fullName = (operation: Operation | 'Delete') =>
  `${operation}LiveSnapshotNotifyConfig` as const

/** Sets things up so that the service will call this operation. */
async function stageFor(operation: Operation, options: StageOptions = {}) {
  const stage = await setStage(options)
  if (operation === 'Update') {
    const registration = { NotifyUrl: stage.callbackUrl(), NotifyReqAuth: 'no' }
    await stage.call('AddLiveSnapshotNotifyConfig', registration)
  }
  const byHand = operation === 'Update' ? 1 : 0
  const calls = (): Calls => ({
    Describe: stage.calls('Describe'),
    Add: stage.calls('Add') - byHand,
    Update: stage.calls('Update'),
  })
  return Object.assign(stage, { made: calls })
}

type StageOptions = Parameters<typeof setStage>[0]

/** What was told after the start, at `info` and above. */
function toldBy(service: Running): LogLine[] {
  return service
    .log()
    .filter(({ level }) => level !== 'debug')
    .filter(({ msg }) => msg !== 'listening' && !msg.startsWith('the public URL'))
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

  test.each(['drop', 'timeout'] as const)(
    'that fails (%s) as a key was set elsewhere leaves callbacks unjudged: they are to come again',
    async (fault) => {
      await using stage = await setStage()
      await using service = await serveHere(stage)
      await settled(service)
      const url = stage.callbackUrl()
      const byHand = { NotifyUrl: url, NotifyReqAuth: 'yes', NotifyAuthKey: 'setByHandInConsole1' }
      await stage.call('UpdateLiveSnapshotNotifyConfig', byHand)
      stage.emulator.setFaults([{ operation: fullName('Describe'), fault, times: 1 }])
      const unjudged = await sendCallback(url, { key: byHand.NotifyAuthKey })
      expect(unjudged.status).toBe(503)
      expect(unjudged.headers['retry-after']).toMatch(/^\d+$/)
      await until('the key to be accepted', async () => {
        return (await sendCallback(url, { key: byHand.NotifyAuthKey })).status === 200
      })
      expect((await sendCallback(url, { key: 'neverSetAnywhere1' })).status).toBe(401)
    },
  )

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
  test.each(PASSING)('%s, twice: tried again until all is in sync', async (fault, reason) => {
    await using stage = await stageFor(operation)
    stage.emulator.setFaults([{ operation: fullName(operation), fault, times: 2 }])
    await using service = await serveHere(stage, {}, { clock: hurried })
    const { calls, told } = costOf(operation, fault)
    await until('the last line', () => toldBy(service).length >= told.length)
    await expectInSync(stage, service)
    expect((await readiness(service)).status).toBe(200)
    expect(stage.made()).toEqual(calls)
    expect(toldBy(service).map(({ level, msg }) => [level, msg])).toEqual(told)
    for (const { msg, reason: given } of toldBy(service)) {
      if (msg === FAILED[1]) expect(given).toMatch(reason)
    }
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
    const begun = operation === 'Describe' ? [] : [BEGUN[operation]]
    expect(toldBy(service).map(({ level, msg }) => [level, msg])).toEqual([
      ...begun,
      ['error', 'registration failed'],
    ])
    expect(toldBy(service).at(-1)).toMatchObject({ domain: DOMAIN, detail })
    const state = { domain: DOMAIN, state: 'failed' }
    expect((await metricsOf(service)).value('snaphook_registration_state', state)).toBe(1)
    // The receiver serves all the same.
    expect((await sendCallback(stage.callbackUrl(), { key: keyOf(0) })).status).toBe(200)
    expect(stage.made()).toEqual({ Describe: 1, Add: 0, Update: 0, [operation]: 1 })
  })
})

describe.concurrent('Delete', () => {
  const FAULTS = [...PASSING.filter(([fault]) => fault !== 'applied_then_drop'), ...FINAL]

  test.each(FAULTS)(
    '%s: one call, said per domain, and done by the next try',
    async (fault, why) => {
      await using stage = await setStage()
      {
        await using service = await serveHere(stage)
        await settled(service)
      }
      const { credentials } = keptWorld(stage).world
      const deregister = async () => {
        const overrides = { credentials, clock: hurried }
        const { shell, printed } = testShell(stage.settings, { overrides })
        return { code: await runCli(['deregister', '--json'], shell), done: JSON.parse(printed()) }
      }
      stage.emulator.setFaults([{ operation: fullName('Delete'), fault, times: 1 }])
      const refused = await deregister()
      expect(refused).toMatchObject({
        code: 1,
        done: [{ domain: DOMAIN, outcome: 'failed', detail: expect.stringMatching(why) }],
      })
      expect(stage.emulator.state().api.byOperation[fullName('Delete')]).toBe(1)
      expect(stage.configured()).not.toBeNull()
      expect(await deregister()).toMatchObject({ code: 0, done: [{ outcome: 'deleted' }] })
      expect(stage.configured()).toBeNull()
    },
  )
})

describe.concurrent('a write that shows only after four minutes', () => {
  const LAGGED_MS = 241_000

  test.each(['Add', 'Update'] as const)('%s: waited for, and made once', async (operation) => {
    let skippedMs = 0
    await using stage = await stageFor(operation, { now: () => Date.now() + skippedMs })
    stage.emulator.setSwitches({ describe_lag: '240s' })
    // What was set by hand shows already.
    skippedMs += LAGGED_MS
    await using service = await serveHere(stage, {}, { clock: hurried })
    const { Describe } = await until('looks that show nothing', () => {
      return stage.made().Describe >= 4 && stage.made()
    })
    expect(Describe).toBeLessThan(8)
    expect((await readiness(service)).registrations).toMatchObject([
      { state: 'pending', detail: expect.stringContaining('waiting'), keyKnown: false },
    ])
    skippedMs += LAGGED_MS
    await expectInSync(stage, service)
    expect({ ...stage.made(), Describe: 0 }).toEqual({
      Describe: 0,
      Add: 0,
      Update: 0,
      [operation]: 1,
    })
    expect(toldBy(service).map(({ level, msg }) => [level, msg])).toEqual([
      BEGUN[operation],
      REGISTERED,
    ])
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
