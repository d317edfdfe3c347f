// One run for each value of each switch of the emulator: however the provider turns out to behave
// where its documentation is silent, the service gets in sync and callbacks arrive.
import { describe, expect, test } from 'vitest'
import type { SnapshotCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import { SWITCH_VALUES, type Switches } from '../../../src/emulator/emulator.ts'
import { openFront } from '../../support/service/front.ts'
import { serveHere } from '../../support/service/service-here.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  type Running,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const STREAM = { domain: DOMAIN, app: 'live', stream: 'door' }
const LAGS = ['0s', '500ms', '2s']

type Scenario = (stage: Stage, value: string) => Promise<void>

/** Of what only the audit asks for: see audit-switches.test.ts. */
const OF_LISTS = [
  'next_start_time',
  'list_ends',
  'stop_time',
  'list_numbers',
  'list_lag',
  'lose_callbacks',
] as const
type OfLists = (typeof OF_LISTS)[number]

const SCENARIOS: Record<Exclude<keyof Switches, OfLists>, Scenario> = {
  describe_when_unset: fromNothing,
  key_shown: (stage, value) =>
    value === 'number' ? keyOfDigits(stage) : keyNotWrittenTwice(stage),
  partial_update: repairsAll,
  signed_host: fromNothing,
  hex: fromNothing,
  retry_on_non_200: (stage, value) => afterFailedAttempt(stage, value === 'yes' ? 2 : 1),
  retry_signature: (stage) => afterFailedAttempt(stage, 2),
  url_change: movesToAnotherUrl,
  auth_on: pushBegunUnsigned,
  body: bodyOfShape,
  callbacks_per_shot: (stage, value) => shotsBecomeEvents(stage, value === 'two' ? 2 : 1),
  describe_lag: fromNothing,
}

// From the last: those that take longest are begun first.
const switches = Object.entries(SWITCH_VALUES)
  .filter(([name]) => !(OF_LISTS as readonly string[]).includes(name))
  .toReversed()
describe.concurrent.each(switches)('%s', (name, values) => {
  test.each(name === 'describe_lag' ? LAGS : values)('%s', async (value) => {
    await using stage = await setStage({ switches: { [name]: value } })
    await SCENARIOS[name as keyof typeof SCENARIOS](stage, value)
  })
})

test.concurrent('several at once, with the real command', async () => {
  await using stage = await setStage({
    switches: {
      describe_when_unset: 'fields_empty',
      signed_host: 'with_port',
      hex: 'upper',
      body: 'snake',
      key_shown: 'masked',
      describe_lag: '500ms',
    },
  })
  const service = await stage.serve()
  await settled(service)
  await takeShots(stage, service)
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
})

/** Pushes a stream anew and takes two snapshots, one after the other. Returns their events. */
async function takeShots(stage: Stage, service: Running, perShot = 1) {
  stage.emulator.startPush(STREAM)
  const before = service.events().length
  const shots = []
  for (const taken of [1, 2]) {
    shots.push(stage.emulator.shoot(STREAM)?.[0])
    const goal = before + taken * perShot
    await until('the events of a shot', () => service.events().length >= goal)
  }
  const events = service.events().slice(before)
  expect(events).toHaveLength(2 * perShot)
  return { shots, events }
}

async function fromNothing(stage: Stage): Promise<void> {
  await using service = await serveHere(stage)
  await settled(service)
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
  expect(stage.configured()?.NotifyAuthKey).toBe(keyOf(0))
  await takeShots(stage, service)
}

async function keyNotWrittenTwice(stage: Stage): Promise<void> {
  await fromNothing(stage)
  await using again = await serveHere(stage)
  await settled(again)
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
  // A store that never wrote this URL can't know which key is in force, if none is shown.
  await using fresh = await serveHere(stage, stage.ownStore('fresh'))
  await settled(fresh)
  const hidden = stage.emulator.state().switches.key_shown !== 'plain'
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, hidden ? 1 : 0])
  expect(stage.configured()?.NotifyAuthKey).toBe(keyOf(0))
  await takeShots(stage, fresh)
}

async function keyOfDigits(stage: Stage): Promise<void> {
  const digits = '12345678901234567890123456789012'
  const registration = { NotifyUrl: stage.callbackUrl(), NotifyReqAuth: 'yes' }
  await stage.call('AddLiveSnapshotNotifyConfig', { ...registration, NotifyAuthKey: digits })
  await using service = await serveHere(stage)
  const { registrations } = await settled(service)
  expect(registrations[0]).toMatchObject({ generation: -1 })
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
  await takeShots(stage, service)
  const foreign = { domain: DOMAIN, key: 'foreign' }
  expect((await metricsOf(service)).value('snaphook_callbacks_by_key_total', foreign)).toBe(2)
}

async function repairsAll(stage: Stage): Promise<void> {
  const registration = { NotifyUrl: stage.callbackUrl(), NotifyReqAuth: 'no' }
  await stage.call('AddLiveSnapshotNotifyConfig', registration)
  await using service = await serveHere(stage)
  await settled(service)
  expect(stage.calls('Update')).toBe(1)
  const desired = { ...registration, NotifyReqAuth: 'yes', NotifyAuthKey: keyOf(0) }
  expect(stage.configured()).toEqual(desired)
  await takeShots(stage, service)
}

/** The first attempt of a callback meets nobody; whether there is another one is the switch's. */
async function afterFailedAttempt(stage: Stage, attempts: number): Promise<void> {
  await using service = await serveHere(stage)
  await settled(service)
  stage.front.lead()
  stage.emulator.startPush(STREAM)
  stage.emulator.shoot(STREAM)
  await until('a failed attempt', () => stage.emulator.state().callbacks.attempts === 1)
  stage.front.lead(service.callbacks)
  await until('the end of it', () => stage.emulator.state().callbacks.inFlight === 0)
  await until('its event', () => service.events().length === attempts - 1)
  expect(stage.emulator.state().callbacks.byAnswer).toEqual(
    attempts === 1 ? { error: 1 } : { error: 1, 200: 1 },
  )
  await takeShots(stage, service)
}

async function movesToAnotherUrl(stage: Stage, value: string): Promise<void> {
  await using newFront = await openFront()
  {
    await using before = await serveHere(stage)
    await settled(before)
    stage.emulator.startPush(STREAM)
  }
  await using after = await serveHere(stage, { SNAPHOOK_PUBLIC_URL: newFront.url })
  newFront.lead(after.callbacks)
  await settled(after)
  expect(stage.configured()?.NotifyUrl).toBe(`${newFront.url}/callbacks/${DOMAIN}`)
  stage.emulator.shoot(STREAM)
  await until('the event of the running push', () => after.events().length === 1)
  const sent = await until('its answer', () => stage.emulator.state().callbacks.recent[0])
  expect(sent.url).toMatch(value === 'at_once' ? newFront.url : stage.front.url)
  await takeShots(stage, after)
}

async function pushBegunUnsigned(stage: Stage, value: string): Promise<void> {
  const registration = { NotifyUrl: stage.callbackUrl(), NotifyReqAuth: 'no' }
  await stage.call('AddLiveSnapshotNotifyConfig', registration)
  stage.emulator.setSwitches({ retry_on_non_200: 'no' })
  stage.emulator.startPush(STREAM)
  await using service = await serveHere(stage)
  await settled(service)
  stage.emulator.shoot(STREAM)
  await until('its answer', () => stage.emulator.state().callbacks.attempts === 1)
  const answers = stage.emulator.state().callbacks.byAnswer
  expect(answers).toEqual(value === 'at_once' ? { 200: 1 } : { 401: 1 })
  if (value === 'at_once') await until('its event', () => service.events().length === 1)
  if (value === 'next_push') {
    const said = () => service.log().filter(({ msg }) => msg.startsWith('unsigned callbacks'))
    await until('a word on it', () => said().length > 0)
    expect(said()).toMatchObject([{ level: 'warn', domain: DOMAIN, count: 1 }])
  }
  await takeShots(stage, service)
}

async function bodyOfShape(stage: Stage, value: string): Promise<void> {
  await using service = await serveHere(stage)
  await settled(service)
  const { shots, events } = await takeShots(stage, service)
  const understood = value !== 'unknown'
  const sent = new Map(shots.map((shot) => [shot?.object, shot?.at]))
  const objectOf = ({ data }: SnapshotCloudEvent) =>
    understood ? data.object : JSON.parse(data.raw ?? '').ref.replace(/^oss:\/\/[^/]+\//, '')
  expect(new Set(events.map(objectOf))).toEqual(new Set(sent.keys()))
  for (const event of events) {
    const { data, subject } = event
    const at = new Date(sent.get(objectOf(event)) ?? 0).toISOString()
    const timed = understood && value !== 'without_time'
    expect(data.capturedAt).toBe(timed ? at : null)
    expect(data.flags).toEqual(understood ? [] : ['no_object'])
    expect(subject).toBe(understood ? 'live/door' : undefined)
    expect(data.bucket).toBe(understood ? 'emulated-snapshots' : null)
  }
}

async function shotsBecomeEvents(stage: Stage, perShot: number): Promise<void> {
  await using service = await serveHere(stage)
  await settled(service)
  await takeShots(stage, service, perShot)
}
