import { describe, expect, test } from 'vitest'
import type { DeliveryOutcome } from '../../src/core/delivery.ts'
import { createDispatcher } from '../../src/flows/dispatcher.ts'
import type { Sink } from '../../src/ports.ts'
import { keptLog, memoryStore } from '../support/flow-fakes.ts'
import { manualClock } from '../support/manual-clock.ts'

function fakeSink(name: string) {
  const sink = {
    name,
    had: [] as number[],
    batches: [] as number[],
    answer: (): DeliveryOutcome | Promise<DeliveryOutcome> => ({ kind: 'delivered' }),
    closed: false,
    async deliver(events: Parameters<Sink['deliver']>[0], signal: AbortSignal) {
      sink.batches.push(events.length)
      const stopped = Promise.withResolvers<DeliveryOutcome>()
      signal.addEventListener('abort', () => stopped.resolve({ kind: 'failed', reason: 'stopped' }))
      const outcome = await Promise.race([sink.answer(), stopped.promise])
      if (outcome.kind === 'delivered') sink.had.push(...events.map(({ seq }) => seq))
      return outcome
    },
    check: async () => ({ reachable: true, detail: '' }),
    async close() {
      sink.closed = true
    },
  }
  return sink
}

function fixture(sinks = [fakeSink('a')], store = memoryStore(), clock = manualClock()) {
  const log = keptLog()
  const attempts: string[] = []
  const dispatcher = createDispatcher({
    sinks,
    events: store,
    cursors: store,
    clock,
    random: () => 1,
    metrics: {
      attempted: (sink, outcome, events) => attempts.push(`${sink} ${outcome} ${events}`),
    },
    log,
  })
  let appended = 0
  async function append(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      await store.append({
        id: `${store} ${appended++}`,
        domain: 'd',
        origin: 'callback',
        receivedAt: 0,
        occurredAt: 0,
        body: new Uint8Array(),
      })
      dispatcher.notify()
    }
    await clock.settle()
  }
  return { sinks, store, clock, log, attempts, dispatcher, append }
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
const never = () => AbortSignal.any([])

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

  test('at once where it may not take any time', async () => {
    const { dispatcher, append } = fixture()
    void dispatcher.run()
    await append(1)
    await dispatcher.stop(AbortSignal.abort())
  })
})

test('a store that fails is waited for', async () => {
  const { sinks, dispatcher, append, clock, store, log } = fixture()
  await append(2)
  store.fail = 'store_failed'
  void dispatcher.run()
  await clock.advance(3_000)
  expect(sinks[0]?.had).toEqual([])
  store.fail = undefined
  await clock.advance(1_000)
  expect(sinks[0]?.had).toEqual(upTo(2))
  expect(log.story()[0]).toBe('store fails the dispatcher, retrying')
  store.fail = 'store_failed'
  await append(1).catch(() => undefined)
  dispatcher.notify()
  await clock.settle()
  await dispatcher.stop(never())
})
