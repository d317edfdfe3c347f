import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../support/store/memory-store.ts'
import {
  DAY,
  DOMAIN,
  HOUR,
  INTERVAL_MS,
  MINUTE,
  provider,
  replica,
  setUp,
  stream,
} from './fixture.ts'

describe('lost callbacks', () => {
  test('are found and become events, once, and the rest is not doubled', async () => {
    const { world, one } = setUp()
    world.push('door')
    const lost: string[] = []
    const shots = await stream(world, ['door'], 30 * MINUTE, async (shot, n) => {
      if (n % 40 === 7) lost.push(shot.object)
      else await one.arrive(shot)
    })
    await world.clock.advance(2 * INTERVAL_MS)
    expect((await one.found()).toSorted()).toEqual(lost.toSorted())
    expect((await one.events()).map(({ object }) => object).toSorted()).toEqual(
      shots.map(({ object }) => object).toSorted(),
    )
    expect(one.view()).toMatchObject({ state: 'ok', detail: null, missed: 9, filled: 9 })
    expect(one.totals).toEqual({ missed: 9, filled: 9 })
    await one.stop()
  })

  test('how far it has come follows five minutes behind', async () => {
    const { world, one } = setUp()
    await world.clock.advance(HOUR)
    const until = Date.parse(one.view()?.auditedUntil ?? '')
    expect(world.clock.now() - until).toBeGreaterThanOrEqual(5 * MINUTE)
    expect(world.clock.now() - until).toBeLessThan(5 * MINUTE + INTERVAL_MS + 5_000)
    await one.stop()
  })

  test('a callback that comes after all is an event of its own', async () => {
    const { world, one } = setUp()
    world.push('door')
    const shots = await stream(world, ['door'], 10 * MINUTE, async (shot, n) => {
      if (n !== 50) await one.arrive(shot)
    })
    await world.clock.advance(2 * INTERVAL_MS)
    await one.arrive(shots[50] as (typeof shots)[0], 'full', HOUR)
    const same = (await one.events()).filter(({ object }) => object === shots[50]?.object)
    expect(same.map(({ origin }) => origin)).toEqual(['audit', 'callback'])
    expect(same[0]?.capturedAt).toBe(same[1]?.capturedAt)
    await one.stop()
  })
})

describe('what it costs', () => {
  test('streams without a hole cost a list of pushes, and one look at one of them', async () => {
    const { world, one } = setUp()
    const names = Array.from({ length: 20 }, (_, n) => `s${n}`)
    for (const name of names) world.push(name)
    await stream(world, names, 30 * MINUTE, (shot) => one.arrive(shot))
    expect(world.lists.count('shots')).toBe(1)
    expect(world.lists.count('pushes')).toBeLessThanOrEqual(3)
    await one.stop()
  })

  test('a stream with a hole is asked for, and no other', async () => {
    const { world, one } = setUp()
    for (const name of ['a', 'b', 'c']) world.push(name)
    await stream(world, ['a', 'b', 'c'], 40 * MINUTE, async (shot, n) => {
      if (shot.stream !== 'b' || n % 120 !== 1) await one.arrive(shot)
    })
    const asked = world.lists.calls.flatMap(({ stream: name }) => name ?? [])
    // The first one to learn the interval.
    expect(new Set(asked.slice(1))).toEqual(new Set(['b']))
    await one.stop()
  })
})

describe('two replicas with stores of their own behind one load balancer', () => {
  const spread = {
    'by the toss of a coin': () => {
      let seed = 12345
      return () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
        return seed > 1_073_741_824
      }
    },
    'every other one': () => (_: unknown, n: number) => n % 2 === 0,
    'by stream':
      () =>
      ({ stream: name }: { stream: string }) =>
        name < 'b',
    'by stream and minute':
      () =>
      ({ stream: name, at }: { stream: string; at: number }) =>
        (name.charCodeAt(0) + Math.floor(at / 300_000)) % 2 === 0,
  }

  test.each(Object.entries(spread))('%s: nothing is filled, both doubt', async (_, make) => {
    const isSticky = make === spread['by stream']
    for (const names of [['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']]) {
      // One that gets all has nothing to doubt.
      if (isSticky && names.length === 1) continue

      const world = provider()
      const replicas = [replica(world), replica(world)] as const
      for (const name of names) world.push(name)
      const isFirst = make()
      await stream(world, names, HOUR, (shot, n) => replicas[isFirst(shot, n) ? 0 : 1].arrive(shot))
      await world.clock.advance(INTERVAL_MS)
      for (const each of replicas) {
        expect(await each.found()).toEqual([])
        expect(each.view()).toMatchObject({ state: 'doubtful', filled: 0 })
        expect(each.view()?.detail).toContain('another replica')
        expect(each.log.story().filter((line) => line === 'audit doubtful')).toHaveLength(1)
        await each.stop()
      }
    }
  })

  test('nor are those of the other while one was down', async () => {
    const world = provider()
    const one = replica(world)
    const store = memoryStore()
    let other = replica(world, { store })
    for (const name of ['a', 'b', 'c']) world.push(name)
    await stream(world, ['a', 'b', 'c'], HOUR, (shot, n) => (n % 2 ? one : other).arrive(shot))
    await other.stop()
    await stream(world, ['a', 'b', 'c'], 10 * MINUTE, (shot) => one.arrive(shot))
    other = replica(world, { store })
    await stream(world, ['a', 'b', 'c'], HOUR, (shot, n) => (n % 2 ? one : other).arrive(shot))
    for (const each of [one, other]) {
      expect(await each.found()).toEqual([])
      await each.stop()
    }
  })

  test('until only one is left: then it is sure again, and fills what it misses from then on', async () => {
    const world = provider()
    const [one, other] = [replica(world), replica(world)]
    world.push('a')
    await stream(world, ['a'], HOUR, (shot, n) => (n % 2 ? one : other).arrive(shot))
    await other.stop()
    await stream(world, ['a'], 3 * HOUR, (shot) => one.arrive(shot))
    expect(one.view()).toMatchObject({ state: 'ok' })
    const lost = await stream(world, ['a'], HOUR, async (shot, n) => {
      if (n % 50 !== 25) await one.arrive(shot)
    })
    await world.clock.advance(2 * INTERVAL_MS)
    expect(await one.found()).toEqual(
      lost.filter((_, n) => n % 50 === 25).map(({ object }) => object),
    )
    await one.stop()
  })
})

describe('times in which no callbacks were taken', () => {
  test.each([
    ['an hour', HOUR],
    ['a minute', MINUTE],
    ['a day', DAY],
  ])('down for %s: all of it is filled after the next start', async (_, downMs) => {
    const { world, one } = setUp()
    world.push('door')
    const store = one.store
    await stream(world, ['door'], 10 * MINUTE, (shot) => one.arrive(shot))
    await one.stop()
    const lost = await stream(world, ['door'], downMs, () => {})
    const again = replica(world, { store })
    const later = await stream(world, ['door'], 30 * MINUTE, (shot) => again.arrive(shot))
    expect(await again.found()).toEqual(lost.map(({ object }) => object))
    expect(later.length).toBeGreaterThan(0)
    expect(again.view()).toMatchObject({ state: 'ok', filled: lost.length })
    await again.stop()
  })

  test('a down time of ten days is cut at seven, and the rest is said', async () => {
    const { world, one } = setUp()
    const store = one.store
    await world.clock.advance(MINUTE)
    await one.stop()
    const stoppedAt = world.clock.now()
    await world.clock.advance(10 * DAY)
    const again = replica(world, { store })
    await world.clock.advance(10_000)
    const { gaps = [] } = again.view() ?? {}
    expect(gaps).toMatchObject([{ reason: 'too_old' }])
    expect(Date.parse(gaps[0]?.until ?? '') - stoppedAt).toBeGreaterThan(2.9 * DAY)
    expect(again.log.story()).toContain('the audit looks no further back: a range is not looked at')
    await world.clock.advance(INTERVAL_MS)
    expect(again.view()).toMatchObject({ state: 'ok' })
    await again.stop()
  })

  test('callbacks that were turned away are filled, however many', async () => {
    const { world, one } = setUp()
    world.push('door')
    const lost: string[] = []
    await stream(world, ['door'], 30 * MINUTE, async (shot, n) => {
      const isRefusing = n >= 100 && n < 300
      if (!isRefusing) return one.arrive(shot)
      lost.push(shot.object)
      one.auditor.turnedAway(DOMAIN)
      return undefined
    })
    await world.clock.advance(INTERVAL_MS)
    expect(await one.found()).toEqual(lost)
    expect(one.view()).toMatchObject({ state: 'ok' })
    await one.stop()
  })
})

describe('what it can not do is said, once', () => {
  test('bodies that are not understood: nothing is filled', async () => {
    const { world, one } = setUp()
    world.push('door')
    await stream(world, ['door'], HOUR, async (shot, n) => {
      await one.arrive(shot, n % 10 < 6 ? 'unclear' : 'full')
    })
    expect(await one.found()).toEqual([])
    expect(one.view()).toMatchObject({ state: 'cannot_compare' })
    expect(one.log.story()).toEqual(['audit cannot_compare'])
    await one.stop()
  })

  test('permissions: the policy is named, it is tried each hour, and then is well', async () => {
    const { world, one } = setUp()
    world.lists.faults.push({ code: 'api_denied', times: 3 })
    await world.clock.advance(2.5 * HOUR)
    expect(world.lists.count('pushes')).toBe(3)
    expect(one.view()).toMatchObject({
      state: 'not_permitted',
      detail: expect.stringContaining('deploy/ram-policy-audit.json'),
    })
    expect(one.log.story()).toEqual(['audit not_permitted'])
    await world.clock.advance(HOUR)
    expect(one.view()).toMatchObject({ state: 'ok', detail: null })
    expect(one.log.story().filter((line) => line === 'audit not_permitted')).toHaveLength(1)
    await one.stop()
  })

  test('a provider that fails for a moment is nothing to say; for long it is', async () => {
    const { world, one } = setUp()
    world.lists.faults.push({ code: 'api_unavailable', times: 2 })
    await world.clock.advance(MINUTE)
    expect(one.states).toEqual(['ok', 'ok'])
    world.lists.faults.push({ code: 'api_throttled', times: 10 })
    await world.clock.advance(INTERVAL_MS + MINUTE)
    expect(one.view()).toMatchObject({ state: 'failing' })
    await world.clock.advance(10 * MINUTE)
    expect(one.view()).toMatchObject({ state: 'ok' })
    await one.stop()
  })

  test('a store that fails is waited for, and nothing is lost', async () => {
    const { world, one } = setUp()
    world.push('door')
    await stream(world, ['door'], 10 * MINUTE, async (shot, n) => {
      if (n % 40 !== 7) await one.arrive(shot)
    })
    one.store.fail = 'store_failed'
    await world.clock.advance(HOUR)
    expect(one.view()).toMatchObject({ state: 'failing' })
    one.store.fail = undefined
    await world.clock.advance(INTERVAL_MS)
    expect(await one.found()).toHaveLength(3)
    expect(one.view()).toMatchObject({ state: 'ok' })
    await one.stop()
  })

  test('an audit that is off asks nothing, and says that it is off', async () => {
    const { world, one } = setUp({ isOff: true })
    await world.clock.advance(HOUR)
    expect(world.lists.calls).toEqual([])
    expect(one.view()).toMatchObject({ state: 'off' })
    await one.stop()
  })
})
