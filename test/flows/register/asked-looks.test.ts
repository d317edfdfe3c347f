// Looks out of turn, for callbacks that no known key fits.
import { describe, expect, test } from 'vitest'
import type { FaultCode } from '../../../src/errors.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import { DOMAIN, FOREIGN, INTERVAL_MS, OUR_URL, registration } from './registration-fixture.ts'

/** A provider whose answers can be held back. */
function slowProvider() {
  const provider = fakeApi(() => 0)
  const { describe } = provider.api
  let answered = Promise.resolve()
  const describeSlowly: typeof describe = async (...call) => {
    const observed = await describe(...call)
    await answered
    return observed
  }
  return {
    provider,
    api: { ...provider.api, describe: describeSlowly },
    /** Returns what lets the answers go. */
    hold(): () => void {
      const answer = Promise.withResolvers<void>()
      answered = answer.promise
      return answer.resolve
    },
  }
}

describe('a look that a callback asks for', () => {
  test('finds a key that was set by hand, and is not to be had again within 30 s', async () => {
    await using it = await registration()
    await it.start()
    it.set(OUR_URL, FOREIGN)
    expect(it.accepts(FOREIGN)).toBe(false)
    const look = it.registrar.look(DOMAIN)
    expect(look).toBeDefined()
    await it.clock.settle()
    await look
    expect(it.accepts(FOREIGN)).toBe(true)
    const described = it.provider.count('describe')
    for (let second = 0; second < 29; second++) {
      await it.clock.advance(1_000)
      expect(it.registrar.look(DOMAIN)).toBeUndefined()
    }
    expect(it.provider.count('describe')).toBe(described)
    await it.clock.advance(1_000)
    expect(it.registrar.look(DOMAIN)).toBeDefined()
  })

  test('is one look for all who ask while it is under way', async () => {
    const { api, provider, hold } = slowProvider()
    await using it = await registration({ provider, api })
    await it.start()
    const answer = hold()
    const described = provider.count('describe')
    const look = it.registrar.look(DOMAIN)
    await it.clock.settle()
    expect(provider.count('describe')).toBe(described + 1)
    expect(it.registrar.look(DOMAIN)).toBe(look)
    answer()
    await look
    expect(provider.count('describe')).toBe(described + 1)
  })

  test('is one look for all who ask before it begins', async () => {
    await using it = await registration()
    it.set(OUR_URL, FOREIGN)
    const looks = [it.registrar.look(DOMAIN), it.registrar.look(DOMAIN)]
    expect(looks).not.toContain(undefined)
    await it.start()
    await Promise.all(looks)
    expect(it.provider.count('describe')).toBe(1)
    expect(it.accepts(FOREIGN)).toBe(true)
  })

  test('is one more where the look that is under way began before the key was set', async () => {
    const { api, provider, hold } = slowProvider()
    await using it = await registration({ provider, api })
    await it.start()
    const answer = hold()
    await it.clock.advance(INTERVAL_MS)
    it.set(OUR_URL, FOREIGN)
    const outcome = it.callback(FOREIGN)
    answer()
    expect(await outcome).toBe('accepted')
  })

  test.each<FaultCode>(['api_unavailable', 'api_throttled', 'api_denied'])(
    'that fails (%s) leaves a callback unjudged, until one succeeds',
    async (code) => {
      await using it = await registration()
      await it.start()
      expect(await it.callback('neverSetAnywhere1')).toBe('bad_signature')
      await it.clock.advance(30_000)
      it.set(OUR_URL, FOREIGN)
      it.provider.faults.push({ operation: 'describe', code, times: 1 })
      expect(await it.callback(FOREIGN)).toBe('no_key')
      await it.clock.advance(INTERVAL_MS + 30_000)
      expect(await it.callback(FOREIGN)).toMatch(/accepted|duplicate/)
      expect(await it.callback('neverSetAnywhere1')).toBe('bad_signature')
    },
  )

  test('that is slow leaves a callback unjudged, too', async () => {
    const { api, provider, hold } = slowProvider()
    await using it = await registration({ provider, api })
    await it.start()
    it.set(OUR_URL, FOREIGN)
    const answer = hold()
    const outcome = it.callback(FOREIGN)
    await it.clock.advance(2_500)
    expect(await outcome).toBe('no_key')
    answer()
    await it.clock.settle()
    expect(it.accepts(FOREIGN)).toBe(true)
  })

  test('is none for a domain that is not ours', async () => {
    await using it = await registration()
    expect(it.registrar.look('x.y')).toBeUndefined()
  })
})
