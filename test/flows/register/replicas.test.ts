// Registrars beside and after one another, at one provider.
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../../src/errors.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import { DOMAIN, INTERVAL_MS, KEY, ours, registration } from './registration-fixture.ts'

describe('replicas and restarts', () => {
  test.each(['describe', 'add'] as const)(
    'a registrar that is stopped during %s, and run again, goes on from what it sees',
    async (operation) => {
      const provider = fakeApi(() => 0)
      const held = Promise.withResolvers<void>()
      const call = provider.api[operation] as (...given: unknown[]) => Promise<unknown>
      const slow = async (...given: unknown[]) => {
        const answer = await call(...given)
        await held.promise
        return answer
      }
      await using it = await registration({
        provider,
        api: { ...provider.api, [operation]: slow } as LiveApi,
      })
      const ended = new AbortController()
      const running = it.registrar.run(ended.signal)
      const look = it.registrar.look(DOMAIN)
      await it.clock.settle()
      ended.abort()
      held.resolve()
      await Promise.all([running, look])
      const again = it.registrar.look(DOMAIN)
      await it.start()
      await again
      expect(it.view()).toMatchObject({ state: 'in_sync', detail: null })
      expect(it.provider.count('add')).toBe(1)
      expect(it.changes).toEqual(['create'])
      it.registrar.look(DOMAIN)
      await it.clock.advance(2 * INTERVAL_MS)
      expect(it.view()?.state).toBe('in_sync')
    },
  )

  test('another replica, or a store that was lost, changes nothing', async () => {
    await using first = await registration()
    await first.start()
    const { provider, clock } = first
    await using second = await registration({ provider, clock })
    await second.start()
    await clock.advance(3 * INTERVAL_MS)
    expect(provider.count('add') + provider.count('update')).toBe(1)
    expect(second.view()).toMatchObject({ state: 'in_sync', generation: 0 })
  })

  test('replicas that start together converge', async () => {
    await using first = await registration()
    const { provider, clock } = first
    await using second = await registration({ provider, clock })
    await using third = await registration({ provider, clock })
    await Promise.all([first.start(), second.start(), third.start()])
    await clock.advance(5_000)
    expect(provider.configurations.get(DOMAIN)).toEqual(ours(KEY))
    expect([first, second, third].map((it) => it.view()?.state)).toEqual(Array(3).fill('in_sync'))
  })
})

test('one that has lost the registrar in the middle of a look writes nothing at the provider', async () => {
  const provider = fakeApi(Date.now)
  let isOwner = false
  const add: LiveApi['add'] = async (domain, given, signal, isStill) => {
    if ((await isStill?.()) === false) throw new ServiceError('outdated', { code: 'outdated' })
    return provider.api.add(domain, given, signal)
  }
  const api = { ...provider.api, add }
  await using it = await registration({ provider, api, mayWrite: () => isOwner })
  await it.start()
  expect(it.provider.count('describe')).toBeGreaterThan(0)
  expect(it.configured()).toBeUndefined()
  isOwner = true
  await it.clock.advance(INTERVAL_MS)
  expect(it.configured()).toEqual(ours(KEY))
})
