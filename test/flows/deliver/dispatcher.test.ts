import { describe, expect, test } from 'vitest'
import type { DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'
import { eventOf } from '../../support/store/store-events.ts'
import { fakeSink, fixture, never, upTo } from './dispatcher-fixture.ts'

test('hands on what is in the log and what comes, in order, in batches of up to 100', async () => {
  const { sinks, dispatcher, append, clock } = fixture()
  await append(250)
  void dispatcher.run()
  await clock.settle()
  await append(3)
  expect(sinks[0]?.had).toEqual(upTo(253))
  expect(sinks[0]?.batches.slice(0, 3)).toEqual([100, 100, 50])
  await dispatcher.stop(never())
  expect(sinks[0]?.closed).toBe(true)
})

test('a batch has fewer events where they are large, and one at least', async () => {
  const { sinks, dispatcher, clock, store } = fixture()
  const KIB = 1024
  const sizes = [100, 100, 50, 60, 1, 300, 1, 1].map((kib) => kib * KIB)
  for (const [n, size] of sizes.entries()) {
    await store.append({ ...eventOf(n), body: new Uint8Array(size) })
  }
  void dispatcher.run()
  await clock.settle()
  expect(sinks[0]?.batches).toEqual([3, 2, 1, 2])
  expect(sinks[0]?.had).toEqual(upTo(8))
  await dispatcher.stop(never())
})

test('goes on where it was after a restart', async () => {
  const { dispatcher, append, store, clock } = fixture()
  await append(5)
  void dispatcher.run()
  await clock.settle()
  await dispatcher.stop(never())
  const again = fixture([fakeSink('a'), fakeSink('new')], store)
  void again.dispatcher.run()
  await again.clock.settle()
  expect(again.sinks.map(({ had }) => had)).toEqual([[], upTo(5)])
  expect(again.log.story()).toEqual([])
  await again.dispatcher.stop(never())
})

test('a sink that fails loses nothing, holds nobody up, and is tried ever more rarely', async () => {
  const sinks = [fakeSink('down'), fakeSink('up')]
  const { dispatcher, append, clock, log, attempts } = fixture(sinks)
  const [down, up] = sinks
  if (down) down.answer = () => ({ kind: 'failed', reason: 'no answer' })
  void dispatcher.run()
  await append(3)
  expect(up?.had).toEqual(upTo(3))
  await clock.advance(10 * 60_000)
  expect(dispatcher.progress()).toMatchObject([
    { cursor: 0, problem: 'no answer' },
    { cursor: 3, problem: null },
  ])
  expect(attempts.filter((attempt) => attempt.startsWith('down')).length).toBeLessThan(15)
  if (down) down.answer = () => ({ kind: 'delivered' })
  await clock.advance(5 * 60_000)
  expect(down?.had).toEqual(upTo(3))
  expect(log.story()).toEqual(['sink fails, retrying', 'sink delivers again'])
  await dispatcher.stop(never())
})

test('what has expired while the sink was down is not delivered late: it is counted as lost', async () => {
  const { sinks, dispatcher, append, clock } = fixture()
  const [sink] = sinks
  if (sink) sink.answer = () => ({ kind: 'failed', reason: 'no answer' })
  void dispatcher.run()
  await append(5)
  await clock.advance(60_000)
  dispatcher.expired('a', 3)
  dispatcher.expired('not here', 9)
  expect(dispatcher.progress()).toMatchObject([{ cursor: 3 }])
  if (sink) sink.answer = () => ({ kind: 'delivered' })
  await clock.advance(10 * 60_000)
  expect(sink?.had).toEqual([4, 5])
  await dispatcher.stop(never())
})

describe('stopping', () => {
  test('delivers what is in the log first', async () => {
    const { sinks, dispatcher, append, clock } = fixture()
    const gate = Promise.withResolvers<DeliveryOutcome>()
    if (sinks[0]) sinks[0].answer = () => gate.promise
    void dispatcher.run()
    await append(150)
    const stopped = dispatcher.stop(never())
    await clock.settle()
    gate.resolve({ kind: 'delivered' })
    await stopped
    expect(sinks[0]?.had).toEqual(upTo(150))
  })

  test('does not wait for a sink that hangs longer than it may, nor for a back-off', async () => {
    const sinks = [fakeSink('hangs'), fakeSink('down')]
    const { dispatcher, append } = fixture(sinks)
    if (sinks[0]) sinks[0].answer = () => new Promise(() => undefined)
    if (sinks[1]) sinks[1].answer = () => ({ kind: 'failed', reason: 'down' })
    void dispatcher.run()
    await append(1)
    const force = new AbortController()
    const stopped = dispatcher.stop(force.signal)
    force.abort()
    await stopped
    expect(sinks.map(({ had }) => had)).toEqual([[], []])
  })

  test('before the cursor could be read delivers nothing from the beginning', async () => {
    const { sinks, dispatcher, append, clock, store } = fixture()
    await append(5)
    await store.advanceCursor('a', 5)
    store.fail = 'store_failed'
    void dispatcher.run()
    await clock.settle()
    store.fail = undefined
    await dispatcher.stop(never())
    expect(sinks[0]?.had).toEqual([])
  })

  test('at once where it may not take any time', async () => {
    const { sinks, dispatcher, append } = fixture()
    const [sink] = sinks
    let isCut = false
    if (sink) {
      sink.deliver = async (_, signal) => {
        if (!signal.aborted)
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        isCut = true
        return { kind: 'failed', reason: 'stopped' }
      }
    }
    void dispatcher.run()
    await append(1)
    expect(isCut).toBe(false)
    await dispatcher.stop(AbortSignal.abort())
    expect([isCut, sink?.closed]).toEqual([true, true])
  })
})

test('a store that fails is waited for, and that is told once for all loops', async () => {
  const { sinks, dispatcher, append, clock, store, log } = fixture([fakeSink('a'), fakeSink('b')])
  await append(2)
  store.fail = 'store_failed'
  void dispatcher.run()
  await clock.advance(60_000)
  expect(sinks[0]?.had).toEqual([])
  store.fail = undefined
  await clock.advance(1_000)
  expect(sinks[0]?.had).toEqual(upTo(2))
  expect(log.story()).toEqual([
    'store fails the dispatcher, retrying',
    'store serves the dispatcher again',
  ])
  store.fail = 'store_failed'
  await append(1).catch(() => undefined)
  dispatcher.notify()
  await clock.settle()
  await dispatcher.stop(never())
})

describe('while a batch is on its way', () => {
  test('the next is read, and what came after that is not missed', async () => {
    const { sinks, dispatcher, append, clock, store } = fixture()
    const gate = Promise.withResolvers<DeliveryOutcome>()
    if (sinks[0]) sinks[0].answer = () => gate.promise
    const asked: number[] = []
    const { read } = store
    store.read = (after, limit) => {
      asked.push(after)
      return read(after, limit)
    }
    await append(100)
    void dispatcher.run()
    await clock.settle()
    expect(asked).toEqual([0, 100])
    await append(50)
    gate.resolve({ kind: 'delivered' })
    await clock.settle()
    expect(sinks[0]?.had).toEqual(upTo(150))
    await dispatcher.stop(never())
  })

  test('the cursor of the one before is written; a store that can not do it stops the next', async () => {
    const { sinks, dispatcher, append, clock, store } = fixture()
    const written = Promise.withResolvers<void>()
    const { advanceCursor } = store
    store.advanceCursor = async (...args) => {
      await written.promise
      return advanceCursor(...args)
    }
    await append(500)
    void dispatcher.run()
    await clock.settle()
    expect(sinks[0]?.had).toEqual(upTo(200))
    expect(await store.loadCursor('a')).toBe(0)
    written.resolve()
    await clock.settle()
    await clock.settle()
    expect(sinks[0]?.had).toEqual(upTo(500))
    await dispatcher.stop(never())
    expect(await store.loadCursor('a')).toBe(500)
  })
})

test('a sink that hangs holds nobody else up', async () => {
  const sinks = [fakeSink('hangs'), fakeSink('up')]
  const { dispatcher, append } = fixture(sinks)
  if (sinks[0]) sinks[0].answer = () => new Promise(() => undefined)
  void dispatcher.run()
  await append(3)
  expect(sinks[1]?.had).toEqual(upTo(3))
  await dispatcher.stop(AbortSignal.abort())
})

test('a sink that is no longer in the settings is reported, and its cursor kept', async () => {
  const { dispatcher, store, clock, log } = fixture()
  await store.advanceCursor('gone', 7)
  void dispatcher.run()
  await clock.settle()
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { sink: 'gone', seq: 7 } }])
  expect(await store.loadCursor('gone')).toBe(7)
  await dispatcher.stop(never())
})
