// The feed with a pace that the test holds: what it asks to be paid for, and that callbacks come in
// between.
import { expect, test } from 'vitest'
import { EVERY_EVENT } from '../../../src/core/events/event-filter.ts'
import { createFeed } from '../../../src/http/feed/feed.ts'
import type { Outlet } from '../../../src/http/feed/outlet.ts'
import { shotOf } from '../../support/api-here.ts'
import { keptLog } from '../../support/flow-fakes.ts'
import { memoryStore } from '../../support/memory-store.ts'
import { until } from '../../support/until.ts'

/** A feed whose every read takes `readMs`, every write to a reader `writeMs`, and the pauses that it made. */
function feedWith({ readMs = 0, writeMs = 0 }) {
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
    elapsed: () => elapsed,
    sleep: async () => new Promise<void>(setImmediate),
  }
  const pace = {
    async pause(tookMs: number, leastMs: number) {
      paid.push([tookMs, leastMs])
      await new Promise(setImmediate)
    },
  }
  const feed = createFeed({ events: store, clock, pace, log: keptLog(), readers: () => undefined })
  const outlet = (): Outlet => ({
    isPacked: true,
    write: () => undefined,
    send({ lastSeq }) {
      elapsed += writeMs
      sent.push(lastSeq)
      for (const call of onSend) call()
    },
    waiting: () => 0,
    drained: async () => undefined,
    end: () => undefined,
    cut: () => undefined,
    closed: new AbortController().signal,
  })
  return { store, feed, outlet, paid, sent, onSend }
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
  for (const shot of shots(2_500)) await store.append(shot)
  feed.notify()
  await until('all', () => sent.at(-1) === 2_500)
  await until('the pauses', () => paid.length === 3)
  expect(sent).toEqual([1_000, 2_000, 2_500])
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
