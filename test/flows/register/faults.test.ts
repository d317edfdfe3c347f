// Looks and writes that fail: what is tried again, when, and what is told meanwhile.
import { describe, expect, test } from 'vitest'
import type { FaultCode } from '../../../src/errors.ts'
import {
  DOMAIN,
  ELSEWHERE,
  ELSEWHERE_SHOWN,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  OUR_URL,
  ours,
  registration,
} from './registration-fixture.ts'

describe('races and faults', () => {
  test.each<FaultCode>(['api_throttled', 'api_unavailable', 'api_credentials'])(
    '%s: tried again sooner while no key is known, and said once',
    async (code) => {
      await using it = await registration()
      it.provider.faults.push({ operation: 'describe', code, times: 10 })
      await it.start()
      expect(it.view()).toMatchObject({ state: 'pending' })
      await it.clock.advance(30_000)
      expect(it.view()?.state).toBe('in_sync')
      const [first = 0, ...at] = it.provider.calls.map((call) => call.at)
      const waits = at.slice(0, 10).map((time, index) => time - (at[index - 1] ?? first))
      expect(waits.map(Math.round)).toEqual([
        188, 375, 750, 1500, 3000, 3750, 3750, 3750, 3750, 3750,
      ])
      expect(it.log.story().filter((line) => line.startsWith('a look failed'))).toHaveLength(1)
    },
  )

  test('the back-off begins anew after a look that went well', async () => {
    await using it = await registration()
    it.provider.faults.push({ operation: 'describe', code: 'api_unavailable', times: 9 })
    it.provider.lagMs = 4 * 60_000
    await it.start()
    await it.clock.advance(60_000)
    expect(it.view()?.state).toBe('pending')
    it.provider.faults.push({ operation: 'describe', code: 'api_unavailable', times: 1 })
    const before = it.provider.calls.length
    await it.clock.advance(32_000)
    const [failed = 0, next = 0] = it.provider.calls.slice(before).map(({ at }) => at)
    expect(Math.round(next - failed)).toBe(188)
  })

  test('a passing fault later keeps the state, and waits up to a minute', async () => {
    await using it = await registration()
    await it.start()
    it.provider.faults.push({ operation: 'describe', code: 'api_unavailable', times: 1_000 })
    await it.clock.advance(2 * INTERVAL_MS)
    expect(it.view()).toMatchObject({
      state: 'in_sync',
      detail: 'describe fails (api_unavailable)',
    })
    const [last = 0, before = 0] = it.provider.calls.map(({ at }) => at).reverse()
    expect(last - before).toBe(45_000)
    it.provider.faults.length = 0
    await it.clock.advance(60_000)
    expect(it.view()).toMatchObject({ state: 'in_sync', detail: null })
    expect(it.log.story().slice(-2)).toEqual([
      'a look failed; it is tried again',
      'looks succeed again',
    ])
  })

  test('a passing fault does not hide what is wrong with the registration', async () => {
    await using it = await registration()
    it.set(ELSEWHERE, FOREIGN)
    await it.start()
    const conflict = it.view()?.detail
    expect(conflict).toContain(ELSEWHERE_SHOWN)
    it.provider.faults.push({ operation: 'describe', code: 'api_unavailable', times: 1_000 })
    await it.clock.advance(2 * INTERVAL_MS)
    expect(it.view()).toMatchObject({
      state: 'conflict',
      detail: `${conflict}; describe fails (api_unavailable)`,
    })
    it.provider.faults.length = 0
    await it.clock.advance(60_000)
    expect(it.view()).toMatchObject({ state: 'conflict', detail: conflict })
    expect(it.log.story()).toEqual([
      'registration conflict',
      'a look failed; it is tried again',
      'looks succeed again',
    ])
  })

  test.each<FaultCode>([
    'api_denied',
    'api_signature',
    'api_parameter',
    'api_unknown_domain',
    'api_refused',
  ])('%s: stops at once, and tries again at the next interval', async (code) => {
    await using it = await registration()
    it.provider.faults.push({ operation: 'describe', code, times: 2 })
    await it.start()
    await it.clock.advance(INTERVAL_MS - 1)
    expect(it.view()).toMatchObject({ state: 'failed', detail: `describe fails (${code})` })
    expect(it.provider.calls).toHaveLength(1)
    await it.clock.advance(INTERVAL_MS + 1)
    expect(it.view()?.state).toBe('in_sync')
    expect(it.log.story().filter((line) => line === 'registration failed')).toHaveLength(1)
  })

  test('a write that fails again and again is told once, and is not taken for a contest', async () => {
    await using it = await registration()
    await it.start()
    it.provider.configurations.delete(DOMAIN)
    it.provider.faults.push({ operation: 'add', code: 'api_unavailable', times: 10 })
    await it.clock.advance(INTERVAL_MS + 120_000)
    expect(it.provider.count('add')).toBe(11)
    expect(it.view()).toMatchObject({
      state: 'pending',
      detail: 'nothing is registered; add fails (api_unavailable)',
    })
    await it.clock.advance(120_000)
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.changes).toEqual(['create', 'create'])
    expect(it.log.story().filter((line) => line.startsWith('registration is gone'))).toHaveLength(1)
  })

  test.each<[string, (it: Awaited<ReturnType<typeof registration>>) => unknown, FaultCode, string]>(
    [
      ['gone', (it) => it.provider.configurations.delete(DOMAIN), 'api_unavailable', 'nothing is'],
      ['switched off', (it) => it.set(OUR_URL, KEY, false), 'api_throttled', 'switched off'],
      // Add and Describe do not agree.
      [
        'raced for',
        (it) => it.provider.configurations.delete(DOMAIN),
        'api_config_exists',
        'nothing',
      ],
    ],
  )('what is seen to be %s, and cannot be written, is not in sync', async (_, edit, code, why) => {
    await using it = await registration()
    await it.start()
    edit(it)
    for (const operation of ['add', 'update']) {
      it.provider.faults.push({ operation, code, times: 1_000 })
    }
    await it.clock.advance(2 * INTERVAL_MS)
    expect(it.states.get(DOMAIN)).toBe('pending')
    expect(it.view()?.detail).toContain(why)
    it.provider.faults.length = 0
    await it.clock.advance(INTERVAL_MS)
    expect(it.view()).toMatchObject({ state: 'in_sync', detail: null })
  })

  test('a write whose answer was lost, and which shows late, is the one that was made', async () => {
    await using it = await registration()
    Object.assign(it.provider, { lostAnswers: 1, lagMs: 10_000 })
    await it.start()
    await it.clock.advance(5_000)
    // Add answers now that there is one.
    expect(it.provider.count('add')).toBeGreaterThan(1)
    expect(it.store.rings.get(DOMAIN)?.ring.unseenSince).not.toBeNull()
    await it.clock.advance(30_000)
    expect(it.view()?.state).toBe('in_sync')
    expect(it.changes).toEqual(['create'])
    expect(it.log.story()).toContain('registered')
    expect(it.store.rings.get(DOMAIN)?.ring.unseenSince).toBeNull()
  })

  test('a write that is refused for good is failed, and stays so while it is tried again', async () => {
    await using it = await registration()
    await it.start()
    it.set(OUR_URL, KEY, false)
    it.provider.faults.push({ operation: 'update', code: 'api_denied', times: 3 })
    await it.clock.advance(3 * INTERVAL_MS)
    expect(it.view()).toMatchObject({ state: 'failed', detail: 'update fails (api_denied)' })
    expect(it.log.story().filter((line) => line === 'registration failed')).toHaveLength(1)
  })

  test('a rotation that cannot be written leaves the registration in sync', async () => {
    await using it = await registration()
    await it.start()
    it.registrar.rotate(DOMAIN)
    it.provider.faults.push({ operation: 'update', code: 'api_unavailable', times: 1_000 })
    await it.clock.advance(2 * INTERVAL_MS)
    expect(it.view()).toMatchObject({
      state: 'in_sync',
      detail: 'update fails (api_unavailable)',
    })
  })

  test('a conflict that is gone is not shown any more, though nothing can be written yet', async () => {
    await using it = await registration()
    it.set(ELSEWHERE, FOREIGN)
    await it.start()
    expect(it.view()?.foundUrl).toBe(ELSEWHERE_SHOWN)
    it.provider.configurations.delete(DOMAIN)
    it.provider.faults.push({ operation: 'add', code: 'api_unavailable', times: 1_000 })
    await it.clock.advance(2 * INTERVAL_MS)
    expect(it.view()).toMatchObject({ state: 'pending', foundUrl: null })
  })

  test('a store that fails is a passing fault', async () => {
    await using it = await registration()
    it.store.fail = 'store_full'
    await it.start()
    await it.clock.advance(5_000)
    expect(it.provider.calls).toEqual([])
    it.store.fail = undefined
    await it.clock.advance(10_000)
    expect(it.view()?.state).toBe('in_sync')
  })
})
