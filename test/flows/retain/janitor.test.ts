// On a real store, with a clock that the test moves: what goes is decided by what SQL really does.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ServiceError } from '../../../src/errors.ts'
import { createJanitor } from '../../../src/flows/retain/janitor.ts'
import type { Retention } from '../../../src/ports/retention.ts'
import { soleOwner } from '../../../src/store/sole-owner.ts'
import { keptLog } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { openStore, temporaryFolder } from '../../support/store/store-fixtures.ts'
import { until } from '../../support/until.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const PLENTY = 1e9

type Prune = Retention['prune']

async function setJanitor(
  over: { sinks?: string[]; maxBytes?: number; prune?: (prune: Prune) => Prune } = {},
) {
  const clock = manualClock()
  const store = await openStore(join(temporaryFolder(), 'snaphook.db'), { now: clock.now })
  const log = keptLog()
  const lost = new Map<string, number>()
  const moved = new Map<string, number>()
  const sizes: number[][] = []
  const { prune = (it) => it } = over
  const janitor = createJanitor({
    store: { ...store, prune: prune(store.prune) },
    leases: soleOwner,
    sinks: over.sinks ?? ['hook'],
    retentionMs: 7 * DAY,
    retentionMaxMs: 30 * DAY,
    maxBytes: over.maxBytes ?? PLENTY,
    onExpired: (sink, seq) => moved.set(sink, seq),
    clock,
    metrics: {
      storeSize: (...size) => sizes.push(size),
      expired: (sink, events) => lost.set(sink, (lost.get(sink) ?? 0) + events),
    },
    log,
  })
  const ended = new AbortController()
  let running: Promise<void> | undefined
  let stored = 0
  return {
    clock,
    store,
    log,
    lost,
    moved,
    sizes,
    async append(count: number, body = new Uint8Array(10)) {
      for (const _ of range(count)) {
        await store.append(eventOf(stored++, { receivedAt: clock.now(), body }))
      }
    },
    /** Lets it run until there is nothing to do any more. */
    async tidy(looks = 2) {
      running ??= janitor.run(ended.signal)
      const before = sizes.length
      await until('it to look', async () => {
        await clock.advance(1_000)
        return sizes.length >= before + looks
      })
    },
    run: () => janitor.run(ended.signal),
    events: async () => (await store.stats()).events,
    async [Symbol.asyncDispose]() {
      ended.abort()
      await running
    },
  }
}

test('delivered events go after the retention, and not before', async () => {
  await using it = await setJanitor()
  await it.append(3)
  await it.store.advanceCursor('hook', 2)
  await it.clock.advance(7 * DAY - HOUR)
  await it.tidy()
  expect(await it.events()).toBe(3)
  await it.clock.advance(2 * HOUR)
  await it.tidy()
  expect(await it.events()).toBe(1)
  expect([...it.lost]).toEqual([])
  expect(it.log.story()).toEqual([])
})

test('what a sink lacks stays for longer, and is then missed by name, once an hour at most', async () => {
  await using it = await setJanitor({ sinks: ['hook', 'quick'] })
  await it.append(5)
  await it.store.advanceCursor('hook', 1)
  await it.store.advanceCursor('quick', 5)
  await it.clock.advance(30 * DAY - HOUR)
  await it.tidy()
  expect(await it.events()).toBe(4)
  await it.clock.advance(HOUR)
  await it.tidy()
  expect(await it.events()).toBe(0)
  expect([...it.lost]).toEqual([['hook', 4]])
  expect([...it.moved]).toEqual([['hook', 5]])
  expect(await it.store.readExpired(null)).toMatchObject([{ sink: 'hook', fromSeq: 2, toSeq: 5 }])
  const said = () => it.log.lines.filter(({ level }) => level === 'error')
  expect(said()).toMatchObject([
    { fields: { sink: 'hook', count: 4, why: expect.stringContaining('30d') } },
  ])
  await it.append(2)
  await it.clock.advance(31 * DAY)
  await it.append(1)
  await it.tidy()
  const later = said()
    .slice(1)
    .filter(({ fields }) => fields.sink === 'hook')
  expect(later.reduce((sum, { fields }) => sum + Number(fields.count), 0)).toBe(2)
})

test('beyond its room the store gives up the oldest, delivered or not, and no more than it must', async () => {
  const body = new Uint8Array(10_000)
  await using it = await setJanitor({ maxBytes: 1_000_000 })
  await it.append(150, body)
  await it.tidy()
  await until('room', async () => {
    await it.tidy()
    return (it.sizes.at(-1)?.[0] ?? 0) <= 1_000_000
  })
  expect(await it.events()).toBeGreaterThan(70)
  expect(it.lost.get('hook')).toBe(150 - (await it.events()))
  expect(it.sizes.at(-1)?.[1]).toBe(1_000_000)
})

test('dead letters give way before events do, where most of the store is theirs', async () => {
  const body = new Uint8Array(10_000)
  await using it = await setJanitor({ maxBytes: 1_000_000 })
  await it.append(80, body)
  const refused = (await it.store.read(0, 60)).map((event) => ({ event, reason: 'x', attempts: 1 }))
  await it.store.advanceCursor('hook', 60, refused)
  await until('room', async () => {
    await it.tidy()
    return (it.sizes.at(-1)?.[0] ?? 0) <= 1_000_000
  })
  expect(await it.store.readExpired('hook')).toMatchObject([{ reason: 'letters_expired' }])
  expect(await it.events()).toBe(80)
  expect(it.lost.get('hook')).toBeGreaterThan(0)
})

test('a store in trouble is said once, and then tidied all the same', async () => {
  await using it = await setJanitor({ sinks: [] })
  await it.append(1)
  await it.store.pragma('query_only = on')
  await it.clock.advance(8 * DAY)
  await until('a complaint', async () => {
    await it.tidy(0)
    return it.log.story().length > 0
  })
  await it.clock.advance(10_000)
  expect(it.log.story()).toEqual(['the log is not pruned, since the store fails'])
  await it.store.pragma('query_only = off')
  await it.tidy()
  expect(await it.events()).toBe(0)
  expect(it.log.story()).toHaveLength(2)
})

test('a clock that is a year ahead for a moment costs no event that a sink lacks', async () => {
  await using it = await setJanitor()
  await it.append(10)
  await it.tidy()
  const { now } = it.clock
  it.clock.now = () => now() + 365 * DAY
  await it.tidy()
  it.clock.now = now
  await it.tidy()
  expect(await it.events()).toBe(10)
  expect([...it.lost]).toEqual([])
})

test('a sink that was taken out is waited for by nobody, and missed by nobody', async () => {
  await using it = await setJanitor()
  await it.append(5)
  await it.store.advanceCursor('removed', 1)
  await it.store.advanceCursor('hook', 5)
  await it.clock.advance(8 * DAY)
  await it.tidy()
  expect(await it.events()).toBe(0)
  expect([...it.lost]).toEqual([])
  expect(it.log.story()).toEqual([])
  expect(await it.store.readExpired('removed')).toMatchObject([{ count: 4 }])
})

test('smaller steps where there is no room for what a step writes itself', async () => {
  await using it = await setJanitor({
    prune: (prune) => async (step) => {
      if (step.limit > 16) throw new ServiceError('no room', { code: 'store_full' })
      return prune(step)
    },
  })
  await it.append(100)
  await it.store.advanceCursor('hook', 100)
  await it.clock.advance(8 * DAY)
  await it.tidy()
  await until('all to be pruned', async () => {
    await it.tidy()
    return (await it.events()) === 0
  })
  expect(it.log.story()[0]).toBe('the log is not pruned, since the store fails')
})

test('steps that had to fit a full store stay small while it is slow, and grow once it is fast', async () => {
  const limits: number[] = []
  const [slow, fast] = [0.05, 0.001]
  await using it = await setJanitor({
    prune:
      () =>
      async ({ limit }) => {
        limits.push(limit)
        if (limits.length <= 3) throw new ServiceError('no room', { code: 'store_full' })
        const seconds = limits.length <= 6 ? slow : fast
        const isMore = limits.length < 9
        return { removed: 0, expired: [], usedBytes: 0, isCrowded: false, isMore, seconds }
      },
  })
  await it.tidy(6)
  expect(limits.slice(0, 9)).toEqual([256, 64, 16, 4, 4, 4, 4, 8, 16])
})

test('a bug is not taken for a store that fails: it ends the run', async () => {
  await using it = await setJanitor({
    prune: () => async () => {
      throw new TypeError('a bug')
    },
  })
  await expect(it.run()).rejects.toThrow(TypeError)
  expect(it.log.story()).toEqual([])
})
