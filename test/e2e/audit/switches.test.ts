// One run for each value of the switches that are about lists: however the provider turns out to
// list, what was lost is found, and what came is not doubled.
import { describe, expect, test } from 'vitest'
import { SWITCH_VALUES, type Switches } from '../../../src/emulator/emulator.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { DOMAIN, readiness, setStage, settled } from '../../support/service/stage.ts'
import { shiftedClock } from '../../support/shifted-clock.ts'
import { until } from '../../support/until.ts'

const STREAM = { domain: DOMAIN, app: 'live', stream: 'door' }
const SHOT_EVERY_MS = 5_000
const MARGIN_MS = 60_000
/** Each is listed twice, so they are more than a page. */
const SHOTS = 60
const LOST = 15

const VALUES: Partial<Record<keyof Switches, readonly unknown[]>> = {
  next_start_time: SWITCH_VALUES.next_start_time,
  list_ends: SWITCH_VALUES.list_ends,
  stop_time: SWITCH_VALUES.stop_time,
  list_numbers: SWITCH_VALUES.list_numbers,
  list_lag: ['20s'],
  callbacks_per_shot: ['two'],
  body: ['without_time'],
}
const cases = Object.entries(VALUES).flatMap(([name, values]) =>
  values.map((value) => [name, value] as const),
)

describe.concurrent('what was lost is found', () => {
  test.each(cases)('%s %s', async (name, value) => {
    const clock = shiftedClock()
    const perShot = value === 'two' ? 2 : 1
    await using stage = await setStage({ switches: { [name]: value }, now: clock.now })
    const audit = { marginMs: MARGIN_MS, firstAfterMs: 0 }
    await using service = await serveHere(
      stage,
      { SNAPHOOK_AUDIT_INTERVAL: '1s' },
      { clock, audit },
    )
    await settled(service)
    stage.emulator.startPush(STREAM)
    const objects: string[] = []
    let called = 0
    for (let n = 1; n <= SHOTS; n += 1) {
      clock.shift(SHOT_EVERY_MS)
      const isLost = n % LOST === 7
      stage.emulator.setSwitches({ lose_callbacks: isLost ? 1 : 0 })
      objects.push(stage.emulator.shoot(STREAM)?.[0]?.object ?? '')
      if (!isLost) called += perShot
      // More at once than a push has room for would be skipped.
      await until('the callback to be through', () => stage.emulator.inFlight() === 0)
    }
    await until('all callbacks to be through', () => service.events().length >= called)
    clock.shift(SHOT_EVERY_MS)
    stage.emulator.stopPush(STREAM)
    clock.shift(MARGIN_MS + 30_000)
    const found = () => service.events().filter(({ data }) => data.origin === 'audit')
    await until('what was lost to be found', () => found().length >= SHOTS / LOST)
    const audited = await until('the audit to pass the last shot', async () => {
      const [view] = (await readiness(service)).audits
      return Date.parse(view?.auditedUntil ?? '') > clock.now() - MARGIN_MS - 20_000 && view
    })
    expect(audited).toMatchObject({ state: 'ok', missed: SHOTS / LOST, filled: SHOTS / LOST })
    const sequence = service
      .events()
      .map(({ data }) => data.object ?? '')
      .filter((object) => objects.includes(object))
    expect(sequence.toSorted()).toEqual(objects.toSorted())
    expect(service.events()).toHaveLength(called + SHOTS / LOST)
  })
})

test('a share of the callbacks is lost at random', async () => {
  await using stage = await setStage({ switches: { lose_callbacks: 0.5 }, random: () => 0.4 })
  await using service = await serveHere(stage)
  await settled(service)
  stage.emulator.startPush(STREAM)
  stage.emulator.shoot(STREAM)
  stage.emulator.setSwitches({ lose_callbacks: 0.3 })
  stage.emulator.shoot(STREAM)
  await until('the callback that was not lost', () => service.events().length === 1)
  expect(stage.emulator.state().pushes[0]).toMatchObject({ snapshots: 2, callbacks: 1, lost: 1 })
})
