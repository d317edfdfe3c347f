import { describe, expect, test } from 'vitest'
import { createPacer } from '../../../src/cloud/pacer.ts'
import { EMPTY_RING, type Ring, withReleased } from '../../../src/core/keys/key-ring.ts'
import { notifyKey } from '../../../src/core/keys/notify-key.ts'
import { type FaultCode, ServiceError } from '../../../src/errors.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi } from '../../support/flow-fakes.ts'
import { manualClock } from '../../support/manual-clock.ts'
import {
  DOMAIN,
  ELSEWHERE,
  ELSEWHERE_SHOWN,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  OLD,
  OUR_URL,
  PUBLIC_URL,
  registration,
} from './registration-fixture.ts'

/** What a command does to the ring, on the same store. */
async function commanded(
  { store }: Awaited<ReturnType<typeof registration>>,
  alter: (ring: Ring) => Ring,
): Promise<void> {
  const { ring, revision } = store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
  await store.saveRing(DOMAIN, alter(ring), revision)
}

const ours = (key: string) => ({ kind: 'present', url: OUR_URL, auth: true, key })

describe('each step of the plan acts', () => {
  test('create: writes all of it, looks at once, and is in sync', async () => {
    await using it = await registration()
    await it.start()
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.provider.calls.map(({ operation }) => operation)).toEqual([
      'describe',
      'add',
      'describe',
    ])
    expect(it.view()).toMatchObject({
      state: 'in_sync',
      detail: null,
      keyKnown: true,
      generation: 0,
    })
    expect(it.changes).toEqual(['create'])
    expect(it.log.story()).toEqual(['nothing registered, creating it', 'registered'])
  })

  test('in sync: changes nothing, and says nothing at each poll', async () => {
    await using it = await registration()
    it.set(OUR_URL, KEY)
    await it.start()
    await it.clock.advance(10 * INTERVAL_MS)
    expect(it.provider.count('describe')).toBe(11)
    expect(it.provider.count('add') + it.provider.count('update')).toBe(0)
    expect(it.log.story()).toEqual(['registration in sync'])
  })

  test('rotate: a key of an older secret gives way to the first, and stays accepted', async () => {
    await using it = await registration()
    it.set(OUR_URL, notifyKey(OLD, DOMAIN, 2))
    await it.start()
    expect(it.view()).toMatchObject({ state: 'in_sync', generation: 2 })
    expect(it.changes).toEqual(['rotate'])
    expect(it.accepts(notifyKey(OLD, DOMAIN, 2))).toBe(true)
  })

  test('adopt: a key set by hand is accepted, and nothing is written', async () => {
    await using it = await registration()
    it.set(OUR_URL, FOREIGN)
    await it.start()
    expect(it.view()).toMatchObject({ state: 'in_sync', generation: -1 })
    expect(it.generations.get(DOMAIN)).toBe(-1)
    expect(it.accepts(FOREIGN)).toBe(true)
    await it.clock.advance(3 * INTERVAL_MS)
    expect(it.changes).toEqual(['adopt'])
    expect(it.provider.count('update')).toBe(0)
  })

  test('repair: authentication goes on again, with the key that is there', async () => {
    await using it = await registration()
    it.set(OUR_URL, FOREIGN, false)
    await it.start()
    expect(it.configured()).toEqual(ours(FOREIGN))
    expect(it.changes).toEqual(['repair'])
  })

  test('repair: a former URL gives way, its key stays; both are accepted', async () => {
    await using it = await registration({
      publicUrls: ['https://hook.example.com', 'https://former.example.com/x'],
    })
    it.set(`https://former.example.com/x/callbacks/${DOMAIN}`, FOREIGN)
    await it.start()
    expect(it.configured()).toEqual(ours(FOREIGN))
    expect(it.rings.hosts(DOMAIN)).toEqual(['hook.example.com', 'former.example.com'])
    expect(it.rings.isCallbackPath('/x', DOMAIN)).toBe(true)
    expect(it.rings.isCallbackPath('/y', DOMAIN)).toBe(false)
  })

  test('our URL with its characters encoded otherwise is in sync', async () => {
    const publicUrls: [string] = ['https://hook.example.com/%C3%BC~x']
    await using it = await registration({ publicUrls })
    it.set(`https://hook.example.com/%c3%bc%7Ex/callbacks/${DOMAIN}`, KEY)
    await it.start()
    expect(it.view()).toMatchObject({ state: 'in_sync', foundUrl: null })
    expect(it.provider.count('update')).toBe(0)
    expect(it.rings.isCallbackPath('/%C3%BC~x', DOMAIN)).toBe(true)
  })

  test('repair: a URL that only the store remembers', async () => {
    await using before = await registration({ publicUrls: ['https://former.example.com'] })
    await before.start()
    const { store, provider, clock } = before
    await using it = await registration({ store, provider, clock })
    await it.start()
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.rings.hosts(DOMAIN)).toContain('former.example.com')
  })

  test('conflict: another URL is left alone, named once, and looked at again', async () => {
    await using it = await registration()
    it.set(ELSEWHERE, FOREIGN)
    await it.start()
    await it.clock.advance(3 * INTERVAL_MS)
    expect(it.configured()).toMatchObject({ url: ELSEWHERE, key: FOREIGN })
    expect(it.view()).toMatchObject({ state: 'conflict', foundUrl: ELSEWHERE_SHOWN })
    expect(it.view()?.detail).toContain('SNAPHOOK_ON_CONFLICT=takeover')
    expect(it.log.story()).toEqual(['registration conflict'])
    it.provider.configurations.delete(DOMAIN)
    await it.clock.advance(INTERVAL_MS)
    expect(it.view()).toMatchObject({ state: 'in_sync', foundUrl: null })
  })

  test('replace: with takeover, and the key found there stays accepted', async () => {
    await using it = await registration({ takeover: true })
    it.set(ELSEWHERE, FOREIGN)
    await it.start()
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.accepts(FOREIGN)).toBe(true)
    expect(it.changes).toEqual(['replace'])
  })

  test('released: nothing is asked and nothing is done', async () => {
    await using it = await registration()
    await it.rings.change(DOMAIN, (ring) => ({ ...ring, released: true }))
    await it.start()
    expect(it.view()).toMatchObject({ state: 'released' })
    expect(it.provider.calls).toEqual([])
  })

  test('released, or taken up again, beside the service: it shows within seconds', async () => {
    await using it = await registration()
    await it.start()
    await commanded(it, withReleased)
    it.provider.configurations.delete(DOMAIN)
    await it.clock.advance(2_000)
    expect(it.view()?.state).toBe('released')
    await commanded(it, (ring) => ({ ...ring, released: false }))
    await it.clock.advance(2_000)
    expect(it.view()?.state).toBe('in_sync')
    expect(it.configured()).toEqual(ours(KEY))
  })

  test('a registration that is gone is created again, with a warning', async () => {
    await using it = await registration()
    await it.start()
    it.provider.configurations.delete(DOMAIN)
    await it.clock.advance(INTERVAL_MS)
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.log.story()).toContain('registration is gone, creating it again')
  })

  test('one that went away while the service was down is told of with a warning, too', async () => {
    const before = await registration()
    await before.start()
    await before[Symbol.asyncDispose]()
    const { store, provider, clock } = before
    provider.configurations.delete(DOMAIN)
    await using it = await registration({ store, provider, clock })
    await it.start()
    expect(it.log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: 'registration is gone, creating it again' },
    ])
  })
})

describe('a key that is not visible', () => {
  test.each([
    ['masked', () => 'abcd************'],
    ['absent', () => null],
  ])('%s: repaired once, then in sync, said once', async (_, show) => {
    await using it = await registration()
    it.provider.show = show
    it.set(OUR_URL, FOREIGN)
    await it.start()
    await it.clock.advance(5 * INTERVAL_MS)
    expect(it.provider.count('update')).toBe(1)
    expect(it.view()).toMatchObject({ state: 'in_sync', keyKnown: true, generation: 0 })
    const said = it.log.story().filter((line) => line.includes('no usable notify key'))
    expect(said).toHaveLength(1)
  })
})

test('a key that is too simple is never accepted, and the state says what to do', async () => {
  await using it = await registration()
  await it.start()
  it.set(OUR_URL, 'aaaaaaaaaaaaaaaa')
  await it.clock.advance(2 * INTERVAL_MS)
  expect(it.accepts('aaaaaaaaaaaaaaaa')).toBe(false)
  expect(it.view()).toMatchObject({
    state: 'in_sync',
    detail: expect.stringContaining('rotate it'),
  })
  expect(it.log.story().at(-1)).toBe('registration has a problem')
  expect(it.provider.count('update')).toBe(0)
  it.registrar.rotate(DOMAIN)
  await it.clock.advance(INTERVAL_MS)
  expect(it.view()).toMatchObject({ state: 'in_sync', detail: null, generation: 1 })
})

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
        pacer.tell(true, clock.elapsed())
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

test('a bug is not taken for a fault of the provider: it ends the run', async () => {
  const { api } = fakeApi(Date.now)
  const describe: LiveApi['describe'] = () => Promise.reject(new TypeError('a bug'))
  const it = await registration({ api: { ...api, describe } })
  await expect(it.registrar.run(new AbortController().signal)).rejects.toThrow(TypeError)
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
