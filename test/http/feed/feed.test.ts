// The feed with a clock of its own: how long it pauses, so that callbacks come first.
import { expect, test } from 'vitest'
import { EVERY_EVENT } from '../../../src/core/events/event-filter.ts'
import { createFeed } from '../../../src/http/feed/feed.ts'
import type { Outlet } from '../../../src/http/feed/outlet.ts'
import { shotOf } from '../../support/api-here.ts'
import { keptLog } from '../../support/flow-fakes.ts'
import { memoryStore } from '../../support/memory-store.ts'
import { until } from '../../support/until.ts'

/** A feed whose every write to a reader takes `writeMs`, and the pauses that it made. */
async function feedWith(writeMs: number) {
  const store = memoryStore()
  let elapsed = 0
  const pauses: number[] = []
  const sent: number[] = []
  const clock = {
    now: Date.now,
    elapsed: () => elapsed,
    sleep: async (ms: number) => {
      pauses.push(ms)
      await new Promise(setImmediate)
    },
  }
  const feed = createFeed({ events: store, clock, log: keptLog(), readers: () => undefined })
  const outlet: Outlet = {
    isPacked: true,
    write: () => undefined,
    send({ lastSeq }) {
      elapsed += writeMs
      sent.push(lastSeq)
    },
    waiting: () => 0,
    drained: async () => undefined,
    end: () => undefined,
    cut: () => undefined,
    closed: new AbortController().signal,
  }
  return { store, feed, outlet, pauses, sent }
}

test.each([
  [0.1, 100],
  [20, 180],
  [900, 1_000],
])('writes of %d ms are paid for with a pause of %d ms', async (writeMs, pauseMs) => {
  const { store, feed, outlet, pauses, sent } = await feedWith(writeMs)
  feed.follow(EVERY_EVENT, null, outlet)
  await until('it to be abreast', () => pauses.length > 0)
  pauses.length = 0
  await store.append(shotOf({ OssObject: 'a' }))
  feed.notify()
  await until('the event', () => sent.at(-1) === 1)
  await until('the pause', () => pauses.length > 0)
  expect(pauses).toEqual([pauseMs])
  feed.close()
  await store.close()
})
