// Whose configuration it is: what points elsewhere is left alone unless told otherwise, what was
// ours is repaired, and what somebody changes by hand is noticed.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openFront } from '../../support/service/front.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  type Running,
  readiness,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const THEIRS = {
  NotifyUrl: 'https://hook.example.org/theirs',
  NotifyReqAuth: 'yes',
  NotifyAuthKey: 'theirkeytheirkey1234',
}
const BY_HAND = 'setbyhand1234567890'
const EVERY_SECOND = { SNAPHOOK_RECONCILE_INTERVAL: '1s' }

test.concurrent('another URL: conflict, and nobody touches it', async () => {
  await using stage = await setStage()
  await stage.call('AddLiveSnapshotNotifyConfig', THEIRS)
  const service = await stage.serve(EVERY_SECOND)
  const { registrations } = await settled(service, 'conflict')
  expect(registrations[0]).toMatchObject({
    foundUrl: 'https://hook.example.org/…',
    keyKnown: false,
  })
  const plan = await stage.finish(['plan'])
  expect(plan.code).toBe(2)
  expect(plan.stdout).toMatch(
    new RegExp(`${DOMAIN} +conflict +callbacks go to https://hook.example.org/…;`),
  )
  const register = await stage.finish(['register'])
  expect(register.code).toBe(1)
  expect(register.stdout).toMatch(/conflict .*SNAPHOOK_ON_CONFLICT=takeover/)
  const looks = stage.calls('Describe')
  await until('another look', () => stage.calls('Describe') > looks)
  expect(stage.configured()).toEqual(THEIRS)
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
})

test.concurrent('takeover: replaced, and the key that was there is accepted for good', async () => {
  await using stage = await setStage()
  await stage.call('AddLiveSnapshotNotifyConfig', THEIRS)
  const takeover = { SNAPHOOK_ON_CONFLICT: 'takeover' }
  const service = await stage.serve(takeover)
  await settled(service)
  expect(stage.configured()).toEqual({
    NotifyUrl: stage.callbackUrl(),
    NotifyReqAuth: 'yes',
    NotifyAuthKey: keyOf(0),
  })
  expect(stage.calls('Update')).toBe(1)
  // Streams pushed before go on signing with it.
  await expectAccepted(stage, service, THEIRS.NotifyAuthKey, 'foreign')
  service.kill('SIGKILL')
  await service.ended
  for (const suffix of ['', '-wal']) {
    const stored = readFileSync(`${stage.folder}/store/snaphook.db${suffix}`, 'latin1')
    expect(stored.includes(THEIRS.NotifyAuthKey), `the key, plain, in ${suffix}`).toBe(false)
  }
  const again = await stage.serve()
  await expectAccepted(stage, again, THEIRS.NotifyAuthKey, 'foreign')
  await settled(again)
  expect(stage.calls('Update')).toBe(1)
})

test.concurrent('a former URL of ours: repaired, with the key that is in force', async () => {
  await using stage = await setStage()
  await using newFront = await openFront()
  const former = { NotifyUrl: stage.callbackUrl(), NotifyReqAuth: 'yes', NotifyAuthKey: BY_HAND }
  await stage.call('AddLiveSnapshotNotifyConfig', former)
  const publicUrls = `${newFront.url},${stage.front.url}`
  await using service = await serveHere(stage, { SNAPHOOK_PUBLIC_URL: publicUrls })
  newFront.lead(service.callbacks)
  await settled(service)
  const NotifyUrl = `${newFront.url}/callbacks/${DOMAIN}`
  expect(stage.configured()).toEqual({ ...former, NotifyUrl })
  for (const url of [NotifyUrl, former.NotifyUrl]) {
    expect((await sendCallback(url, { key: BY_HAND })).status).toBe(200)
  }
})

test.concurrent('a key set by hand is learnt from the first callback that it signs', async () => {
  await using stage = await setStage()
  const service = await stage.serve()
  await settled(service)
  const looks = stage.calls('Describe')
  await stage.call('UpdateLiveSnapshotNotifyConfig', { NotifyAuthKey: BY_HAND })
  const since = performance.now()
  await expectAccepted(stage, service, BY_HAND, 'foreign')
  expect(performance.now() - since).toBeLessThan(2_500)
  expect(stage.calls('Describe')).toBe(looks + 1)
  expect((await readiness(service)).registrations[0]).toMatchObject({ generation: -1 })
  // Streams that were pushed before it go on, too.
  await expectAccepted(stage, service, keyOf(0), 'previous')
  expect(stage.configured()?.NotifyAuthKey).toBe(BY_HAND)
  expect(stage.calls('Update')).toBe(1)
})

test.concurrent('a flood of bad signatures costs one look, and holds no honest callback up', async () => {
  await using stage = await setStage()
  const service = await stage.serve()
  await settled(service)
  const looks = stage.calls('Describe')
  // The provider takes its time: all of the flood meets the one look.
  stage.emulator.setFaults([{ operation: '*', fault: 'latency', ms: 400 }])
  const url = `${service.callbacks}/callbacks/${DOMAIN}`
  const flood = Array.from({ length: 400 }, (_, n) =>
    sendCallback(url, { key: `nobodyskey${String(n).padStart(10, '0')}` }),
  )
  const honest = Array.from({ length: 20 }, () => sendCallback(url, { key: keyOf(0) }))
  for (const { status } of await Promise.all(honest)) expect(status).toBe(200)
  for (const { status } of await Promise.all(flood)) expect(status).toBe(401)
  expect(stage.calls('Describe')).toBe(looks + 1)
  for (let n = 0; n < 50; n += 1) {
    expect((await sendCallback(url, { key: THEIRS.NotifyAuthKey })).status).toBe(401)
  }
  expect(stage.calls('Describe')).toBe(looks + 1)
})

test.concurrent.each([
  ['deleted', 'DeleteLiveSnapshotNotifyConfig', {}, 'registration is gone, creating it again'],
  [
    'left without authentication',
    'UpdateLiveSnapshotNotifyConfig',
    { NotifyReqAuth: 'no' },
    'repairing the registration',
  ],
])('a configuration that is %s by hand is put right, with a warning', async (...row) => {
  const [, operation, change, warning] = row
  await using stage = await setStage()
  await using service = await serveHere(stage, EVERY_SECOND)
  await settled(service)
  const before = stage.configured()
  await stage.call(operation, change)
  await until('the repair', () => stage.configured()?.NotifyReqAuth === 'yes')
  expect(stage.configured()).toEqual(before)
  const warned = service.log().filter(({ msg }) => msg === warning)
  expect(warned).toMatchObject([{ level: 'warn', domain: DOMAIN }])
})

/** Sends a callback signed with `key`; it has to arrive, and to be counted under `role`. */
async function expectAccepted(
  stage: Stage,
  service: Running,
  key: string,
  role: string,
): Promise<void> {
  const events = service.events().length
  expect((await sendCallback(stage.callbackUrl(), { key })).status).toBe(200)
  await until('its event', () => service.events().length === events + 1)
  const labels = { domain: DOMAIN, key: role }
  expect((await metricsOf(service)).value('snaphook_callbacks_by_key_total', labels)).toBe(1)
}
