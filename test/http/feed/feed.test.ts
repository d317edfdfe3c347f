// The feed with a pace that the test holds: what it asks to be paid for, and that callbacks come in
// between.
import { expect, test } from 'vitest'
import { EVERY_EVENT } from '../../../src/core/events/event-filter.ts'
import { createFeed } from '../../../src/http/feed/feed.ts'
import type { Outlet } from '../../../src/http/feed/outlet.ts'
import { createPace } from '../../../src/http/pace.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { keptLog } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { shotOf } from '../../support/service/api-here.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { until } from '../../support/until.ts'

/** A feed whose every read takes `readMs`, every write to a reader `writeMs`, and the pauses that it made. */
function feedWith(
  { readMs = 0, writeMs = 0 },
  real?: Clock,
  loop?: Parameters<typeof createPace>[1],
) {
  const store = memoryStore()
  const { findFrames } = store
  store.findFrames = (...asked) => {
    elapsed += readMs
    return findFrames(...asked)
  }
  let elapsed = 0
  /** What was to be paid for, and the least pause. */
  const paid: [number, number][] = []
  const sent: number[] = []
  const onSend: (() => void)[] = []
  const clock = {
    now: Date.now,
    elapsed: () => (real?.elapsed() ?? 0) + elapsed,
    sleep: real?.sleep ?? (async () => new Promise<void>(setImmediate)),
  }
  const pace = real
    ? createPace(real, loop)
    : {
        async pause(tookMs: number, leastMs: number) {
          paid.push([tookMs, leastMs])
          await new Promise(setImmediate)
        },
      }
  const feed = createFeed({ events: store, clock, pace, log: keptLog(), readers: () => undefined })
  const outlet = (isPacked = true, closed = new AbortController()): Outlet => ({
    isPacked,
    write: () => undefined,
    send({ lastSeq, text, packed }) {
      elapsed += writeMs
      // What a reader can't read is nothing.
      sent.push((isPacked ? packed : text) === null ? Number.NaN : lastSeq)
      for (const call of onSend) call()
    },
    waiting: () => 0,
    drained: async () => undefined,
    end: () => undefined,
    cut: () => undefined,
    closed: closed.signal,
  })
  return { store, feed, outlet, paid, sent, onSend }
}

/** Twenty events, more than one read gives: eight of them are half a megabyte. */
async function burst(store: ReturnType<typeof memoryStore>): Promise<void> {
  const raw = 'x'.repeat(60_000)
  for (let n = 0; n < 20; n++) await store.append(shotOf({ OssObject: `b/${n}`, raw }))
}

const shots = (count: number) =>
  Array.from({ length: count }, (_, n) => shotOf({ OssObject: `o/${n}` }))

test('what a read and all writes took is paid for', async () => {
  const { store, feed, outlet, paid, sent } = feedWith({ readMs: 5, writeMs: 20 })
  for (let n = 0; n < 3; n++) feed.follow(EVERY_EVENT, null, outlet())
  await until('them to be abreast', () => paid.length > 0)
  paid.length = 0
  await store.append(shotOf({ OssObject: 'a' }))
  feed.notify()
  await until('the event', () => sent.length === 3)
  await until('the pause', () => paid.length > 0)
  expect(paid).toEqual([[65, 100]])
  feed.close()
  await store.close()
})

test('a burst goes out in parts, with short pauses but for the last', async () => {
  const { store, feed, outlet, paid, sent } = feedWith({ writeMs: 1 })
  feed.follow(EVERY_EVENT, null, outlet())
  await until('it to be abreast', () => paid.length > 0)
  paid.length = 0
  await burst(store)
  feed.notify()
  await until('the pauses', () => paid.length === 3)
  expect(sent).toEqual([8, 16, 20])
  expect(paid).toEqual([
    [1, 10],
    [1, 10],
    [1, 100],
  ])
  feed.close()
  await store.close()
})

test('whoever is behind pays for what it reads', async () => {
  const { store, feed, outlet, paid, sent } = feedWith({ readMs: 7, writeMs: 2 })
  for (const shot of shots(600)) await store.append(shot)
  feed.follow(EVERY_EVENT, 0, outlet())
  await until('all', () => sent.at(-1) === 600)
  expect(paid.slice(0, 3)).toEqual([
    [9, 0],
    [9, 0],
    [9, 0],
  ])
  feed.close()
  await store.close()
})

test('callbacks are taken between two writes', async () => {
  const { store, feed, outlet, paid, sent, onSend } = feedWith({ writeMs: 1 })
  for (let n = 0; n < 4; n++) feed.follow(EVERY_EVENT, null, outlet())
  await until('them to be abreast', () => paid.length > 0)
  let taken = 0
  const takenBefore: number[] = []
  onSend.push(() => {
    takenBefore.push(taken)
    setImmediate(() => {
      taken += 1
    })
  })
  await store.append(shotOf({ OssObject: 'a' }))
  feed.notify()
  await until('all', () => sent.length === 4)
  expect(takenBefore).toEqual([0, 1, 2, 3])
  feed.close()
  await store.close()
})

/** Has the next read of the log wait, once it was made; resolves with what lets it go on. */
function holdRead(store: ReturnType<typeof memoryStore>): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<() => void>()
  const { findFrames } = store
  store.findFrames = async (...asked) => {
    store.findFrames = findFrames
    const page = await findFrames(...asked)
    await new Promise<void>((goOn) => resolve(goOn))
    return page
  }
  return promise
}

test('who comes during a read that is not for it gets its own, and nothing twice', async () => {
  const { store, feed, outlet, paid, sent } = feedWith({})
  feed.follow(EVERY_EVENT, null, outlet())
  await until('it to be abreast', () => paid.length > 0)
  const held = holdRead(store)
  await store.append(shotOf({ OssObject: 'a' }))
  feed.notify()
  const goOn = await held
  feed.follow(EVERY_EVENT, 0, outlet(false))
  feed.follow({ ...EVERY_EVENT, origin: 'callback' }, 0, outlet())
  // It is taken in before the read has ended: nothing but the loop is waited for.
  for (let n = 0; n < 10; n++) await new Promise(setImmediate)
  goOn()
  await until('all to have it', () => sent.length === 3)
  await store.append(shotOf({ OssObject: 'b' }))
  feed.notify()
  await until('all to have the next', () => sent.length === 6)
  expect(sent).toEqual([1, 1, 1, 2, 2, 2])
  feed.close()
  await store.close()
})

test('what was read for those who left is nothing for one who begins further on', async () => {
  const { store, feed, outlet, paid, sent } = feedWith({})
  const leaving = new AbortController()
  feed.follow(EVERY_EVENT, null, outlet(true, leaving))
  await until('it to be abreast', () => paid.length > 0)
  const held = holdRead(store)
  await burst(store)
  feed.notify()
  const goOn = await held
  for (const shot of shots(2)) await store.append(shot)
  feed.follow(EVERY_EVENT, null, outlet())
  leaving.abort()
  for (let n = 0; n < 10; n++) await new Promise(setImmediate)
  goOn()
  await store.append(shotOf({ OssObject: 'b' }))
  feed.notify()
  await until('what comes next', () => sent.at(-1) === 23)
  expect(sent).toEqual([23])
  feed.close()
  await store.close()
})

test('at 500 events a second each reaches a hundred readers within a fifth of a second', async () => {
  const clock = manualClock()
  /** As busy as callbacks and a hundred readers make it. */
  const loop = () => ({
    active: clock.elapsed() * 0.4,
    idle: clock.elapsed() * 0.6,
    utilization: 0,
  })
  const { store, feed, outlet, sent, onSend } = feedWith({ writeMs: 0.1 }, clock, loop)
  for (let n = 0; n < 100; n++) feed.follow(EVERY_EVENT, null, outlet())
  const appendedAt: number[] = []
  const tookMs: number[] = []
  onSend.push(() => {
    tookMs.push(...appendedAt.splice(0).map((at) => clock.elapsed() - at))
  })
  await clock.advance(200)
  for (let n = 0; n < 50; n++) {
    for (const shot of shots(10)) await store.append({ ...shot, occurredAt: shot.occurredAt + n })
    appendedAt.push(clock.elapsed())
    feed.notify()
    await clock.advance(20)
  }
  await clock.advance(200)
  expect(sent.filter((seq) => seq === 500)).toHaveLength(100)
  expect(tookMs).toHaveLength(50)
  expect(Math.max(...tookMs)).toBeLessThanOrEqual(200)
  feed.close()
  await store.close()
})
