// Writes of the registrar that a command to deregister meets.
import { describe, expect, test } from 'vitest'
import { EMPTY_RING, withReleased } from '../../../src/core/keys/key-ring.ts'
import type { FaultCode } from '../../../src/errors.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { DOMAIN, INTERVAL_MS, registration } from './registration-fixture.ts'

describe('deregistered meanwhile', () => {
  test('a write that is on its way is left to the command, which can tell that there is one', async () => {
    const store = memoryStore()
    const written = Promise.withResolvers<void>()
    const clock = manualClock()
    const provider = fakeApi(clock.now)
    const addSlowly: LiveApi['add'] = async (...call) => {
      await written.promise
      return provider.api.add(...call)
    }
    await using it = await registration({
      store,
      clock,
      provider,
      api: { ...provider.api, add: addSlowly },
    })
    await it.start()
    const { ring, revision } = store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
    expect(ring.unseenSince).toBe(clock.now())
    await store.saveRing(DOMAIN, withReleased(ring), revision)
    written.resolve()
    await clock.advance(INTERVAL_MS)
    expect(it.view()?.state).toBe('released')
    expect(store.rings.get(DOMAIN)?.ring.unseenSince).not.toBeNull()
  })

  test('a write that has not begun is dropped', async () => {
    const store = memoryStore()
    await using it = await registration({ store })
    const { saveRing } = store
    store.saveRing = async (domain, ring, revision) => {
      store.saveRing = saveRing
      await saveRing(domain, withReleased(ring), revision)
      return saveRing(domain, ring, revision)
    }
    await it.start()
    expect(it.view()?.state).toBe('released')
    expect(it.provider.count('add')).toBe(0)
  })

  test.each<[string, FaultCode, boolean]>([
    ['was refused', 'api_denied', false],
    ['was not answered', 'api_unavailable', true],
  ])('a write that %s', async (_, code, mayShow) => {
    await using it = await registration()
    it.provider.faults.push({ operation: 'add', code, times: 1 })
    await it.start()
    expect(it.store.rings.get(DOMAIN)?.ring.unseenSince !== null).toBe(mayShow)
    await it.clock.advance(INTERVAL_MS)
    expect(it.view()?.state).toBe('in_sync')
    expect(it.store.rings.get(DOMAIN)?.ring.unseenSince).toBeNull()
  })
})
