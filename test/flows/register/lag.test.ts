// The provider may show a write minutes after it was made.
import { describe, expect, test } from 'vitest'
import {
  DOMAIN,
  ELSEWHERE,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  OUR_URL,
  registration,
} from './registration-fixture.ts'

describe('lag', () => {
  test('a write that shows late is waited for, with no second write', async () => {
    await using it = await registration()
    it.provider.lagMs = 4 * 60_000
    await it.start()
    await it.clock.advance(60_000)
    expect(it.view()).toMatchObject({ state: 'pending', keyKnown: false })
    await it.clock.advance(4 * 60_000)
    expect(it.view()?.state).toBe('in_sync')
    expect(it.provider.count('add')).toBe(1)
    const start = it.provider.calls[0]?.at ?? 0
    const looks = it.provider.calls.filter(({ operation }) => operation === 'describe')
    expect(looks.slice(1, 8).map(({ at }) => (at - start) / 1_000)).toEqual([
      0, 1, 3, 8, 18, 48, 78,
    ])
  })

  test('a key that is shown, and is too simple, does not show the rotation from it', async () => {
    await using it = await registration()
    it.set(OUR_URL, 'aaaaaaaaaaaaaaaa')
    await it.start()
    it.provider.lagMs = 60_000
    it.registrar.rotate(DOMAIN)
    it.registrar.look(DOMAIN)
    await it.clock.advance(1_000)
    expect(it.view()?.state).toBe('pending')
    await it.clock.advance(INTERVAL_MS)
    expect(it.view()).toMatchObject({ state: 'in_sync', detail: null })
  })

  test('a write that never shows is planned again after five minutes', async () => {
    await using it = await registration()
    it.set(OUR_URL, KEY, false)
    it.provider.lagMs = Infinity
    await it.start()
    await it.clock.advance(5.5 * 60_000)
    expect(it.provider.count('update')).toBe(2)
  })

  test("somebody else's write is not taken for lag", async () => {
    await using it = await registration()
    it.provider.lagMs = 60_000
    await it.start()
    it.provider.lagMs = 0
    it.provider.configurations.set(DOMAIN, {
      kind: 'present',
      url: ELSEWHERE,
      auth: true,
      key: FOREIGN,
    })
    await it.clock.advance(60_000 + 30_000)
    expect(it.view()?.state).toBe('conflict')
  })
})
