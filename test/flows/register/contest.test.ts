// Somebody else who writes the registration, again and again.
import { describe, expect, test } from 'vitest'
import { EMPTY_RING, withReleased } from '../../../src/core/keys/key-ring.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import {
  DOMAIN,
  ELSEWHERE,
  ELSEWHERE_SHOWN,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  OUR_URL,
  registration,
} from './registration-fixture.ts'

const HOUR = 3_600_000

describe('a contest', () => {
  test('does not keep us from accepting the key that was found under our URL', async () => {
    await using it = await registration()
    await it.start()
    for (const key of [KEY, KEY, FOREIGN]) {
      it.set(OUR_URL, key, false)
      await it.clock.advance(INTERVAL_MS)
    }
    expect(it.view()?.state).toBe('contested')
    expect(it.accepts(FOREIGN)).toBe(true)
  })

  test('is none where we were deregistered and registered again', async () => {
    await using it = await registration()
    await it.start()
    for (let round = 0; round < 4; round += 1) {
      await it.rings.change(DOMAIN, withReleased)
      it.provider.configurations.delete(DOMAIN)
      await it.clock.advance(INTERVAL_MS)
      await it.rings.change(DOMAIN, (ring) => ({ ...ring, released: false }))
      await it.clock.advance(INTERVAL_MS + 10_000)
      expect(it.view()?.state).toBe('in_sync')
    }
  })

  async function overwritten(it: Awaited<ReturnType<typeof registration>>): Promise<void> {
    it.set(ELSEWHERE, FOREIGN)
    await it.clock.advance(INTERVAL_MS)
  }

  test('is noticed at the third time within an hour; then one write an hour', async () => {
    await using it = await registration({ takeover: true })
    await it.start()
    await overwritten(it)
    await overwritten(it)
    expect(it.configured()).toMatchObject({ url: OUR_URL })
    await overwritten(it)
    expect(it.configured()).toMatchObject({ url: ELSEWHERE })
    const detail = expect.stringContaining(
      `(callbacks go to ${ELSEWHERE_SHOWN}); find the other owner`,
    )
    expect(it.view()).toMatchObject({ state: 'contested', detail, foundUrl: ELSEWHERE_SHOWN })
    expect(it.log.lines.at(-1)).toMatchObject({
      message: 'registration contested',
      fields: { detail },
    })
    const writes = it.provider.count('update')
    await it.clock.advance(HOUR - INTERVAL_MS)
    expect(it.provider.count('update')).toBe(writes)
    await it.clock.advance(2 * INTERVAL_MS)
    expect(it.provider.count('update')).toBe(writes + 1)
    expect(it.view()).toMatchObject({
      state: 'contested',
      detail: expect.stringContaining('ours is there again'),
      foundUrl: null,
    })
    await it.clock.advance(2 * HOUR)
    expect(it.view()?.state).toBe('in_sync')
  })

  test('is none where one edit is seen again after restarts, since the repair does not show yet', async () => {
    const first = await registration()
    await first.start()
    const { store, provider, clock } = first
    await first[Symbol.asyncDispose]()
    first.set(OUR_URL, KEY, false)
    const edited = provider.configurations.get(DOMAIN) ?? { kind: 'absent' }
    const shownFrom = clock.now() + 4 * 60_000
    const describe: LiveApi['describe'] = async (...call) => {
      const observed = await provider.api.describe(...call)
      return clock.now() < shownFrom ? edited : observed
    }
    const api = { ...provider.api, describe }
    for (const _ of [1, 2]) {
      await using it = await registration({ store, provider, clock, api })
      await it.start()
      expect(it.configured()).toMatchObject({ auth: true })
      await clock.advance(20_000)
    }
    await using last = await registration({ store, provider, clock, api })
    await last.start()
    expect(last.rings.ring(DOMAIN).contest.seenAt).toHaveLength(1)
    expect(last.view()?.state).toBe('pending')
    await clock.advance(2 * INTERVAL_MS)
    expect(last.view()?.state).toBe('in_sync')
  })

  test('counts what is overwritten soon after a write that was overwritten itself', async () => {
    const provider = fakeApi(() => 0)
    const update: LiveApi['update'] = async (...call) => {
      await provider.api.update(...call)
      // Before our write was ever seen.
      const elsewhere = { kind: 'present', url: ELSEWHERE, auth: true, key: FOREIGN } as const
      provider.configurations.set(DOMAIN, elsewhere)
    }
    await using it = await registration({ provider, api: { ...provider.api, update } })
    await it.start()
    it.set(OUR_URL, KEY, false)
    await it.clock.advance(INTERVAL_MS)
    expect(it.view()?.state).toBe('conflict')
    expect(it.rings.ring(DOMAIN).contest.seenAt).toHaveLength(1)
    provider.configurations.delete(DOMAIN)
    it.registrar.look(DOMAIN)
    await it.clock.advance(10_000)
    expect(it.rings.ring(DOMAIN).contest.seenAt).toHaveLength(2)
  })

  test('ends at once where a command deregisters', async () => {
    await using it = await registration({ takeover: true })
    await it.start()
    for (const _ of [1, 2, 3]) await overwritten(it)
    expect(it.view()?.state).toBe('contested')
    const stored = it.store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
    await it.store.saveRing(DOMAIN, withReleased(stored.ring), stored.revision)
    await it.clock.advance(2_000)
    expect(it.view()?.state).toBe('released')
  })

  test('is not forgotten by a restart', async () => {
    const before = await registration({ takeover: true })
    await before.start()
    await overwritten(before)
    await overwritten(before)
    await before[Symbol.asyncDispose]()
    const { store, provider, clock } = before
    await using it = await registration({ store, provider, clock, takeover: true })
    it.set(ELSEWHERE, FOREIGN)
    await it.start()
    expect(it.view()?.state).toBe('contested')
    expect(it.configured()).toMatchObject({ url: ELSEWHERE })
  })
})
