// What is registered changes between a look and the write that follows from it.
import { describe, expect, test } from 'vitest'
import { createPacer } from '../../../src/cloud/pacer.ts'
import { withReleased } from '../../../src/core/keys/key-ring.ts'
import type { FaultCode } from '../../../src/errors.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import {
  commanded,
  DOMAIN,
  ELSEWHERE,
  ELSEWHERE_SHOWN,
  FOREIGN,
  KEY,
  OUR_URL,
  ours,
  PUBLIC_URL,
  registration,
} from './registration-fixture.ts'

describe('races and faults', () => {
  test.each<[FaultCode, 'add' | 'update']>([
    ['api_config_exists', 'add'],
    ['api_config_not_found', 'update'],
  ])('%s: looks again and plans again', async (code, operation) => {
    await using it = await registration()
    if (operation === 'update') it.set(OUR_URL, KEY, false)
    it.provider.faults.push({ operation, code, times: 2 })
    await it.start()
    await it.clock.advance(1_000)
    expect(it.view()?.state).toBe('in_sync')
    expect(it.provider.count(operation)).toBe(3)
  })

  describe('a write that had to wait for its turn', () => {
    const former = 'https://former.example.com'

    /** Throttled, with the writes of 50 other domains before ours, which is to change a former URL. */
    async function waiting() {
      const clock = manualClock()
      const provider = fakeApi(clock.now)
      const pacer = createPacer(clock)
      for (let times = 0; times < 5; times++) {
        await clock.advance(1_000)
        pacer.noteAnswer(true, clock.elapsed())
      }
      const { signal } = new AbortController()
      for (let others = 0; others < 50; others++) void pacer.turn(signal)
      const update: LiveApi['update'] = async (...call) => {
        await pacer.turn(call[2], call[3])
        return provider.api.update(...call)
      }
      const api = { ...provider.api, update }
      const publicUrls: [string, string] = [PUBLIC_URL, former]
      const it = await registration({ clock, provider, api, publicUrls })
      it.set(`${former}/callbacks/${DOMAIN}`, KEY)
      await it.start()
      await clock.advance(30_000)
      return it
    }

    test('looks again, and is made', async () => {
      await using it = await waiting()
      await it.clock.advance(200_000)
      expect(it.configured()).toEqual(ours(KEY))
      expect(it.provider.count('update')).toBe(1)
      expect(it.provider.count('describe')).toBe(3)
    })

    test('does not overwrite what was set meanwhile', async () => {
      await using it = await waiting()
      it.set(ELSEWHERE, FOREIGN)
      await it.clock.advance(200_000)
      expect(it.configured()).toMatchObject({ url: ELSEWHERE })
      expect(it.view()).toMatchObject({ state: 'conflict', foundUrl: ELSEWHERE_SHOWN })
    })

    test('is not made where a command has deregistered meanwhile, nor where nobody can look', async () => {
      await using it = await waiting()
      await commanded(it, withReleased)
      await it.clock.advance(200_000)
      expect(it.view()?.state).toBe('released')
      await using other = await waiting()
      other.provider.faults.push({ operation: 'describe', code: 'api_unavailable', times: 1 })
      await other.clock.advance(131_000)
      expect(it.provider.count('update') + other.provider.count('update')).toBe(0)
    })
  })
})
