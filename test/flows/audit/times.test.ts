// What the audit takes for the time, and for a time in which callbacks are to be expected.
import { describe, expect, test } from 'vitest'
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

describe('a clock that is far ahead', () => {
  const AHEAD = 30 * DAY

  test('for a moment, moves nothing, and what is lost meanwhile is found', async () => {
    const world = provider()
    let aheadMs = 0
    const clock = { ...world.clock, now: () => world.clock.now() + aheadMs }
    const one = replica({ ...world, clock }, {})
    world.push('door')
    await stream(world, ['door'], 30 * MINUTE, (shot) => one.arrive(shot))
    const before = Date.parse(one.view()?.auditedUntil ?? '')
    aheadMs = AHEAD
    await stream(world, ['door'], 30 * MINUTE, async (shot, n) => {
      if (n % 90 !== 45) await one.arrive(shot)
    })
    const meanwhile = Date.parse(one.view()?.auditedUntil ?? '')
    expect(meanwhile).toBeGreaterThan(before)
    expect(meanwhile).toBeLessThanOrEqual(world.clock.now() - 5 * MINUTE)
    aheadMs = 0
    await world.clock.advance(2 * INTERVAL_MS)
    expect(await one.found()).toHaveLength(4)
    expect(one.view()).toMatchObject({ state: 'ok', gaps: [] })
    await one.stop()
  })

  test('from the start, moves nothing while the provider refuses its calls', async () => {
    const { world, one } = setUp()
    await world.clock.advance(HOUR)
    await one.stop()
    const before = (await one.store.loadAudit(DOMAIN))?.auditedUntil
    const clock = { ...world.clock, now: () => world.clock.now() + AHEAD }
    world.lists.faults.push({ code: 'api_refused', times: 1_000 })
    const ahead = replica({ ...world, clock }, { store: one.store })
    await world.clock.advance(HOUR)
    await ahead.stop()
    expect(await one.store.loadAudit(DOMAIN)).toMatchObject({ auditedUntil: before, gaps: [] })
  })
})

describe('a domain that is deregistered', () => {
  test('is not audited, the time is said, and it goes on when it is registered again', async () => {
    let isReleased = false
    const { world, one } = setUp({ isReleased: () => isReleased })
    world.push('door')
    await stream(world, ['door'], 30 * MINUTE, (shot) => one.arrive(shot))
    const calls = world.lists.calls.length
    isReleased = true
    const from = Date.parse(one.view()?.auditedUntil ?? '')
    await stream(world, ['door'], 2 * HOUR, () => {})
    expect(one.view()).toMatchObject({ state: 'off', detail: expect.stringContaining('deregist') })
    expect(world.lists.calls).toHaveLength(calls)
    expect(one.log.story()).toEqual(['audit off'])
    isReleased = false
    const backAt = world.clock.now()
    await stream(world, ['door'], HOUR, async (shot, n) => {
      if (n % 90 !== 45) await one.arrive(shot)
    })
    await world.clock.advance(2 * INTERVAL_MS)
    expect(one.view()).toMatchObject({ state: 'ok', gaps: [{ reason: 'released' }] })
    const [gap] = one.view()?.gaps ?? []
    expect(Date.parse(gap?.from ?? '')).toBe(from)
    expect(Date.parse(gap?.until ?? '') - backAt).toBeLessThan(3_000)
    expect(await one.found()).toHaveLength(8)
    await one.stop()
  })
})

test('the log of what was found holds the times and the counts, and no more', async () => {
  const { world, one } = setUp()
  world.push('door')
  await stream(world, ['door'], 30 * MINUTE, async (shot, n) => {
    if (n % 40 !== 7) await one.arrive(shot)
  })
  const found = one.log.lines.find(({ message }) => message.includes('found and filled in'))
  expect(Object.keys(found?.fields ?? {}).toSorted()).toEqual([
    'domain',
    'filled',
    'from',
    'missed',
    'until',
  ])
  await one.stop()
})
