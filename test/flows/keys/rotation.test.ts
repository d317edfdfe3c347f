// When a key gives way to the next one, and that no replica refuses either meanwhile.
import { describe, expect, test } from 'vitest'
import { notifyKey } from '../../../src/core/keys/notify-key.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import {
  DOMAIN,
  ELSEWHERE,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  keyAt,
  NEW,
  OLD,
  OUR_URL,
  registration,
} from '../register/registration-fixture.ts'

const HOUR = 3_600_000
const MAX_AGE = 5 * HOUR

describe('rotation', () => {
  test('by command: the next generation is written at the next look, once', async () => {
    await using it = await registration()
    await it.start()
    it.registrar.rotate(DOMAIN)
    await it.clock.advance(3 * INTERVAL_MS)
    expect(it.configured()).toMatchObject({ key: keyAt(1) })
    expect(it.view()).toMatchObject({ state: 'in_sync', generation: 1 })
    expect(it.accepts(KEY)).toBe(true)
    expect(it.changes).toEqual(['create', 'rotate'])
  })

  test.each<[string, (it: Awaited<ReturnType<typeof registration>>) => unknown]>([
    ['authentication is off', (it) => it.set(OUR_URL, KEY, false)],
    ['nothing is registered', (it) => it.provider.configurations.delete(DOMAIN)],
  ])('by command while %s: repaired, and rotated all the same', async (_, edit) => {
    await using it = await registration()
    await it.start()
    edit(it)
    it.registrar.rotate(DOMAIN)
    await it.clock.advance(INTERVAL_MS + 10_000)
    expect(it.configured()).toMatchObject({ auth: true, key: keyAt(1) })
    expect(it.view()).toMatchObject({ state: 'in_sync', generation: 1 })
  })

  test('by a replica beside, where no key is shown: a callback proves what is in force', async () => {
    await using it = await registration()
    await it.start()
    it.provider.show = () => null
    await it.clock.advance(INTERVAL_MS)
    for (const generation of [1, 2, 3]) {
      it.set(OUR_URL, keyAt(generation))
      expect(await it.callback(keyAt(generation))).toBe('accepted')
      await it.clock.advance(60_000)
    }
    expect(it.view()).toMatchObject({ state: 'in_sync', generation: 3 })
  })

  test('twice by a replica beside, where no key is shown and none was pushed between', async () => {
    await using first = await registration()
    await first.start()
    const { provider, clock } = first
    await using second = await registration({ provider, clock })
    await second.start()
    provider.show = () => null
    for (const _ of [1, 2]) {
      first.registrar.rotate(DOMAIN)
      await clock.advance(2 * INTERVAL_MS)
    }
    expect(second.accepts(keyAt(2))).toBe(false)
    expect(await second.callback(keyAt(2))).toBe('accepted')
    expect(second.accepts(keyAt(3))).toBe(true)
    expect(second.view()).toMatchObject({ state: 'in_sync', generation: 2 })
    // Not within 30 s of that look, and not where the key is shown.
    expect(await second.callback(keyAt(6))).toBe('bad_signature')
    provider.show = (key) => key
    await clock.advance(30_000)
    expect(await second.callback(keyAt(6))).toBe('bad_signature')
  })

  test('to a new secret, where no key is shown: once', async () => {
    const first = await registration({ secrets: [OLD, NEW] })
    await first.start()
    const { provider, clock, store } = first
    await first[Symbol.asyncDispose]()
    provider.show = () => null
    await using then = await registration({ provider, clock, store, secrets: [NEW, OLD] })
    await then.start()
    await clock.advance(5 * INTERVAL_MS)
    expect(then.configured()).toMatchObject({ key: KEY })
    expect(then.changes).toEqual(['rotate'])
    expect(then.view()).toMatchObject({ state: 'in_sync', detail: null })
    expect(then.accepts(notifyKey(OLD, DOMAIN, 0))).toBe(true)
  })

  test('by a callback alone is none where the key in force is shown', async () => {
    await using it = await registration({ keyMaxAgeMs: MAX_AGE, alone: true })
    await it.start()
    // Rotated elsewhere, pushed, and put back by hand.
    it.set(OUR_URL, keyAt(1))
    await it.clock.advance(INTERVAL_MS)
    it.set(OUR_URL, keyAt(0))
    for (let count = 0; count < 4; count += 1) {
      await it.clock.advance(INTERVAL_MS)
      expect(await it.callback(keyAt(1))).toBe('accepted')
      await it.clock.advance(61_000)
      expect(it.view()?.generation).toBe(0)
    }
    // And so its age counts.
    await it.clock.advance(2 * MAX_AGE)
    expect(it.configured()).toMatchObject({ key: keyAt(1) })
  })

  test("by age, plus this replica's jitter; once per period and not once per replica", async () => {
    const clock = manualClock(undefined, 1)
    const shared = { keyMaxAgeMs: MAX_AGE, clock, alone: true }
    await using first = await registration({ ...shared, random: 0.9 })
    await first.start()
    const { provider } = first
    await using second = await registration({ ...shared, provider, random: 0.5 })
    await second.start()
    await using third = await registration({ ...shared, provider, random: 0.4 })
    await third.start()
    // The one with the least jitter is the first to find the key too old.
    await clock.advance(1.04 * MAX_AGE - 2 * INTERVAL_MS)
    expect(first.changes).toEqual(['create'])
    // The others follow at their own next looks.
    await clock.advance(5 * INTERVAL_MS)
    for (let period = 1; period <= 4; period++) {
      for (const it of [first, second, third]) {
        expect(it.view()).toMatchObject({ generation: period })
        expect(it.changes.filter((change) => change === 'rotate')).toHaveLength(
          it === third ? period : 0,
        )
      }
      expect(provider.configurations.get(DOMAIN)).toMatchObject({ key: keyAt(period) })
      await clock.advance(1.04 * MAX_AGE + INTERVAL_MS)
    }
  })

  test('by age is none of a key that was put back, for the age that it had before', async () => {
    await using it = await registration({ keyMaxAgeMs: MAX_AGE, alone: true })
    it.set(OUR_URL, FOREIGN)
    await it.start()
    await it.clock.advance(4 * HOUR)
    it.registrar.rotate(DOMAIN)
    await it.clock.advance(HOUR)
    it.set(OUR_URL, FOREIGN)
    await it.clock.advance(HOUR)
    expect(it.configured()).toMatchObject({ key: FOREIGN })
    await it.clock.advance(MAX_AGE)
    expect(it.configured()).toMatchObject({ key: keyAt(1) })
  })

  test('is accepted by another replica before it has looked', async () => {
    await using first = await registration()
    await first.start()
    const { provider, clock } = first
    await using second = await registration({ provider, clock })
    await second.start()
    for (const generation of [1, 2, 3]) {
      expect(second.accepts(keyAt(generation))).toBe(true)
      first.registrar.rotate(DOMAIN)
      await clock.advance(2 * INTERVAL_MS)
    }
    expect(second.accepts(keyAt(1))).toBe(true)
  })

  test('is accepted by a replica that does not look, before and after', async () => {
    await using first = await registration()
    await first.start()
    const { provider, clock } = first
    let looks = 0
    const describe: LiveApi['describe'] = (...call) => {
      looks += 1
      return provider.api.describe(...call)
    }
    await using second = await registration({ provider, clock, api: { ...provider.api, describe } })
    await second.start()
    expect(looks).toBe(1)
    expect(await second.callback(keyAt(1))).toBe('accepted')
    first.registrar.rotate(DOMAIN)
    first.registrar.look(DOMAIN)
    await clock.advance(1_000)
    expect(first.configured()).toMatchObject({ key: keyAt(1) })
    for (const generation of [0, 1]) {
      expect(await second.callback(keyAt(generation))).toMatch(/^(accepted|duplicate)$/)
    }
    expect(looks).toBe(1)
  })

  test('to a new secret: once, also where a replica has the secrets in another order', async () => {
    await using first = await registration({ secrets: [NEW, OLD] })
    await first.start()
    const { provider, clock } = first
    await using second = await registration({ provider, clock, secrets: [OLD, NEW] })
    await second.start()
    await clock.advance(2 * INTERVAL_MS)
    expect(first.configured()).toMatchObject({ key: notifyKey(OLD, DOMAIN, 0) })
    expect(first.view()).toMatchObject({
      state: 'in_sync',
      detail: expect.stringContaining('SNAPHOOK_SECRET in another order'),
    })
    await clock.advance(5 * INTERVAL_MS)
    expect(provider.count('update')).toBe(1)
    const { store } = second
    await second[Symbol.asyncDispose]()
    await using put = await registration({ provider, clock, store, secrets: [NEW, OLD] })
    await put.start()
    await clock.advance(2 * INTERVAL_MS)
    expect(first.configured()).toMatchObject({ key: KEY })
    expect([first.view(), put.view()]).toMatchObject(Array(2).fill({ detail: null }))
  })

  test('goes one generation, told and counted as such, also where the answer is lost', async () => {
    await using it = await registration()
    await it.start()
    it.provider.lostAnswers = 1
    it.registrar.rotate(DOMAIN)
    await it.clock.advance(3 * INTERVAL_MS)
    expect(it.configured()).toMatchObject({ key: keyAt(1) })
    expect(it.view()).toMatchObject({ state: 'in_sync', detail: null, generation: 1 })
    expect(it.changes).toEqual(['create', 'rotate'])
    expect(it.log.story().slice(-4)).toEqual([
      'rotating the notify key',
      'a look failed; it is tried again',
      'registered',
      'looks succeed again',
    ])
    it.registrar.rotate(DOMAIN)
    await it.clock.advance(2 * INTERVAL_MS)
    expect(it.configured()).toMatchObject({ key: keyAt(2) })
  })

  test('waits while the domain is not ours', async () => {
    await using it = await registration()
    it.set(ELSEWHERE, FOREIGN)
    it.registrar.rotate(DOMAIN)
    await it.start()
    expect(it.view()?.state).toBe('conflict')
    expect(it.configured()).toMatchObject({ key: FOREIGN })
    it.registrar.rotate('not.ours')
  })
})
