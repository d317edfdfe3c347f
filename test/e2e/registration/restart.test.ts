// A restart without the disk, and replicas: the state is found by looking, and nobody fights.
import { expect, test } from 'vitest'
import { rotateAll } from '../../../src/admin/register.ts'
import { configOf, keptWorld, serveHere } from '../../support/service/service-here.ts'
import {
  DOMAIN,
  keyOf,
  listening,
  metricsOf,
  readiness,
  type Serving,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const STREAM = { domain: DOMAIN, app: 'live', stream: 'door' }

test.concurrent('a restart without its disk changes nothing, and running pushes go on', async () => {
  await using stage = await setStage()
  const first = await stage.serve()
  await settled(first)
  stage.emulator.startPush(STREAM)
  stage.emulator.shoot(STREAM)
  await until('the first event', () => first.events().length === 1)
  first.kill('SIGKILL')
  await first.ended
  const before = stage.configured()
  const writes = writesOf(stage)

  const second = await stage.serve(stage.ownStore('fresh'))
  // At once: nothing waits for the registration here.
  stage.emulator.shoot(STREAM)
  await until('the event of the running push', () => second.events().length === 1)
  const { registrations } = await settled(second)
  expect(registrations[0]).toMatchObject({ generation: 0, keyKnown: true })
  expect(stage.configured()).toEqual(before)
  expect(writesOf(stage)).toEqual(writes)
  expect((await metricsOf(second)).value('snaphook_callbacks_total', REFUSED)).toBe(0)
})

test.concurrent('a restart without its disk knows a key that was set by hand from its first look', async () => {
  await using stage = await setStage()
  const byHand = 'a1b2c3d4e5f6g7h8i9'
  const registration = { NotifyUrl: stage.callbackUrl(), NotifyReqAuth: 'yes' }
  await stage.call('AddLiveSnapshotNotifyConfig', { ...registration, NotifyAuthKey: byHand })
  const service = await stage.serve()
  const { registrations } = await settled(service)
  expect(registrations[0]).toMatchObject({ generation: -1, keyKnown: true })
  expect(stage.configured()).toEqual({ ...registration, NotifyAuthKey: byHand })
  expect(writesOf(stage)).toEqual({ add: 1, update: 0 })
  stage.emulator.startPush(STREAM)
  stage.emulator.shoot(STREAM)
  await until('its event', () => service.events().length === 1)
})

test.concurrent.each([2, 3])(
  '%i replicas that start together converge on one key without a fight',
  async (count) => {
    await using stage = await setStage()
    const replicas = await startTogether(stage, count)
    for (const replica of replicas) {
      const { registrations } = await settled(replica)
      expect(registrations[0]).toMatchObject({ generation: 0, keyKnown: true })
    }
    expect(stage.configured()).toEqual({
      NotifyUrl: stage.callbackUrl(),
      NotifyReqAuth: 'yes',
      NotifyAuthKey: keyOf(0),
    })
    // Each may have looked before the first one wrote, and then finds that it need not.
    const writes = writesOf(stage)
    expect(writes.add).toBeLessThanOrEqual(count)
    expect(writes.update).toBe(0)
    expect(stage.emulator.state().api.byOutcome.ConfigAlreadyExists ?? 0).toBe(writes.add - 1)

    stage.front.lead(...replicas.map(({ callbacks }) => callbacks))
    stage.emulator.startPush(STREAM)
    for (let shot = 0; shot < 2 * count; shot += 1) stage.emulator.shoot(STREAM)
    const all = () => replicas.flatMap((replica) => replica.events())
    await until('every event, once, at one of them', () => all().length === 2 * count)
    for (const replica of replicas) expect((await readiness(replica)).status).toBe(200)
    expect(writesOf(stage)).toEqual(writes)
  },
)

test.concurrent('a rotation by one replica is accepted by the others, which do not look', async () => {
  await using stage = await setStage()
  await using first = await serveHere(stage, stage.ownStore('first'))
  await settled(first)
  await using second = await serveHere(stage, stage.ownStore('second'))
  await settled(second)
  stage.emulator.startPush(STREAM)
  const own = stage.ownStore('first')
  const config = configOf(stage, own)
  const { world } = keptWorld(stage)
  await rotateAll(config, world, config.domains, new AbortController().signal)
  const looks = stage.calls('Describe')
  expect(stage.configured()).toMatchObject({ NotifyAuthKey: keyOf(1) })
  stage.emulator.startPush({ ...STREAM, stream: 'gate' })
  stage.emulator.shoot(STREAM)
  stage.emulator.shoot({ ...STREAM, stream: 'gate' })
  await until('both events at the replica that knows nothing of it', () => {
    return second.events().length === 2
  })
  await until('both answers', () => stage.emulator.state().callbacks.inFlight === 0)
  expect(stage.emulator.state().callbacks.byAnswer).toEqual({ 200: 2 })
  expect(stage.calls('Describe')).toBe(looks)
  expect((await readiness(second)).registrations[0]).toMatchObject({ generation: 0 })
})

const REFUSED = { domain: DOMAIN, outcome: 'bad_signature' }

function startTogether(stage: Stage, count: number): Promise<Serving[]> {
  const names = Array.from({ length: count }, (_, index) => `replica-${index}`)
  return Promise.all(names.map((name) => listening(stage.run(['serve'], stage.ownStore(name)))))
}

function writesOf(stage: Stage) {
  return { add: stage.calls('Add'), update: stage.calls('Update') }
}
