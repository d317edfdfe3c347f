// Whose fault it is that an event is not delivered: the event's, or the sink's.
import { describe, expect, test } from 'vitest'
import type { DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'
import type { memoryStore } from '../../support/store/memory-store.ts'
import {
  BROKE,
  DAY_MS,
  fakeSink,
  fixture,
  lettersOf,
  never,
  pickySink,
  REFUSED,
  REJECTED,
  steadySink,
  upTo,
  without,
} from './dispatcher-fixture.ts'

describe('an event that is rejected', () => {
  test('becomes a dead letter, alone; the others are delivered in order, and at once', async () => {
    const sink = pickySink([1, 40, 41, 150], REJECTED)
    const { dispatcher, append, store, clock } = fixture([sink])
    await append(150)
    void dispatcher.run()
    await clock.settle()
    await clock.settle()
    await clock.settle()
    expect(sink.had).toEqual(without(150, 1, 40, 41, 150))
    expect(lettersOf(store)).toEqual([1, 40, 41, 150].map((seq) => [seq, 'answered 422', 1]))
    expect(await store.loadCursor('a')).toBe(150)
    await dispatcher.stop(never())
  })
})

describe('a sink that rejects one event after the other', () => {
  const story = ({ letters }: ReturnType<typeof memoryStore>) =>
    letters.map(({ event }) => event.seq)

  test('is taken for the fault after a hundred: it refuses, and nothing more is given up', async () => {
    const sink = fakeSink('a')
    const { dispatcher, append, store, clock } = fixture([sink])
    sink.answer = () => REJECTED
    await append(300)
    void dispatcher.run()
    await clock.advance(DAY_MS / 24)
    expect(story(store)).toEqual(upTo(100))
    expect(dispatcher.progress()).toMatchObject([
      { cursor: 100, state: 'refused', problem: expect.stringContaining('answered 422') },
    ])
    sink.batches.length = 0
    await clock.advance(DAY_MS / 24)
    expect(sink.batches.length).toBeLessThan(30)
    sink.answer = () => ({ kind: 'delivered' })
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual(upTo(300).slice(100))
    expect(story(store)).toEqual(upTo(100))
    expect(dispatcher.progress()).toMatchObject([{ cursor: 300, state: 'ok' }])
    await dispatcher.stop(never())
  })

  test('also over restarts: no more is given up than before', async () => {
    const first = fixture([fakeSink('a')])
    if (first.sinks[0]) first.sinks[0].answer = () => REJECTED
    await first.append(300)
    void first.dispatcher.run()
    await first.clock.advance(DAY_MS / 24)
    await first.dispatcher.stop(never())
    const sink = fakeSink('a')
    const { dispatcher, clock, store } = fixture([sink], first.store)
    sink.answer = () => REJECTED
    void dispatcher.run()
    await clock.advance(DAY_MS / 24)
    expect(story(store)).toEqual(upTo(100))
    expect(dispatcher.progress()).toMatchObject([{ cursor: 100, state: 'refused' }])
    await dispatcher.stop(never())
  })

  test('and takes one after those: they are given up after all', async () => {
    const sink = pickySink(upTo(103), REJECTED)
    const { dispatcher, append, store, clock } = fixture([sink])
    await append(105)
    void dispatcher.run()
    await clock.settle()
    await clock.settle()
    expect(dispatcher.progress()).toMatchObject([{ cursor: 100, state: 'refused' }])
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual([104, 105])
    expect(story(store)).toEqual(upTo(103))
    await dispatcher.stop(never())
  })

  test('with one delivered in between is not', async () => {
    const sink = pickySink(without(150, 60), REJECTED)
    const { dispatcher, append, store, clock } = fixture([sink])
    await append(150)
    void dispatcher.run()
    await clock.advance(1_000)
    expect(sink.had).toEqual([60])
    expect(store.letters).toHaveLength(149)
    await dispatcher.stop(never())
  })
})

test('the pause that a sink asks for is kept, whatever is under suspicion', async () => {
  const sink = fakeSink('a')
  const { dispatcher, append, clock } = fixture([sink])
  const at: number[] = []
  // Enough to have the batch split, and the first event compared with its neighbour.
  const broken = Array<DeliveryOutcome>(25).fill(BROKE)
  sink.answer = () => {
    const outcome = broken.pop()
    if (outcome !== undefined) return outcome
    at.push(clock.elapsed())
    return { ...BROKE, retryAfterMs: 60_000 }
  }
  await append(200)
  void dispatcher.run()
  await clock.advance(60 * 60_000)
  const gaps = at.slice(1).map((time, n) => time - (at[n] as number))
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(60_000)
  await dispatcher.stop(never())
})

describe('a sink that refuses', () => {
  test('keeps its events, shows as refused, and catches up in full batches', async () => {
    const sink = fakeSink('a')
    const { dispatcher, append, store, clock, states, log } = fixture([sink])
    sink.answer = () => REFUSED
    await append(250)
    void dispatcher.run()
    await clock.advance(DAY_MS / 24)
    expect(dispatcher.progress()).toMatchObject([{ cursor: 0, state: 'refused' }])
    expect(states.get('a')).toBe('refused')
    expect(sink.batches.length).toBeLessThan(30)
    sink.answer = () => ({ kind: 'delivered' })
    sink.batches.length = 0
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual(upTo(250))
    expect(sink.batches).toEqual([100, 100, 50])
    expect(store.letters).toEqual([])
    expect(states.get('a')).toBe('ok')
    expect(log.story()).toEqual(['sink refuses, retrying', 'sink delivers again'])
    await dispatcher.stop(never())
  })
})

describe('a sink that gets through to the middle of a batch', () => {
  test('goes on after what was confirmed, without repeating it', async () => {
    let full = true
    const sink = steadySink((seq) =>
      full && seq > 60 ? { kind: 'failed', reason: 'full' } : { kind: 'delivered' },
    )
    const { dispatcher, append, clock, store, attempts } = fixture([sink])
    await append(100)
    void dispatcher.run()
    await clock.settle()
    expect(await store.loadCursor('a')).toBe(60)
    expect(dispatcher.progress()).toMatchObject([{ cursor: 60, state: 'failing', problem: 'full' }])
    expect(attempts.slice(0, 2)).toEqual(['a delivered 60', 'a failed 40'])
    full = false
    await clock.advance(60_000)
    expect(sink.had).toEqual(upTo(100))
    await dispatcher.stop(never())
  })

  test('and rejects an event there: that one becomes a dead letter, in order', async () => {
    const sink = steadySink((seq) => (seq % 40 === 0 ? REJECTED : { kind: 'delivered' }))
    const { dispatcher, append, clock, store } = fixture([sink])
    await append(100)
    void dispatcher.run()
    await clock.settle()
    await clock.settle()
    expect(sink.had).toEqual(without(100, 40, 80))
    expect(store.letters.map(({ event }) => event.seq)).toEqual([40, 80])
    await dispatcher.stop(never())
  })
})

describe('a sink with a fault of its own', () => {
  test.each<[string, () => Promise<DeliveryOutcome>]>([
    [
      'throws',
      () => {
        throw new TypeError('https://sink.example.com/token')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('https://sink.example.com/token'))],
    ['rejects with something else', () => Promise.reject('https://sink.example.com/token')],
  ])(
    '%s: it is tried again, nothing is lost, and its message is not shown',
    async (_how, fault) => {
      const sinks = [fakeSink('broken'), fakeSink('up')]
      const [broken, up] = sinks
      const { dispatcher, append, clock, states, log, store } = fixture(sinks)
      const works = broken?.deliver
      if (broken) broken.deliver = fault
      const ended = dispatcher.run()
      await append(3)
      await clock.advance(60 * 60_000)
      expect(up?.had).toEqual(upTo(3))
      expect(states.get('broken')).toBe('failing')
      expect(dispatcher.progress()[0]?.problem).toContain('fault')
      if (broken && works) broken.deliver = works
      await clock.advance(5 * 60_000)
      expect(broken?.had).toEqual(upTo(3))
      expect(store.letters).toEqual([])
      expect(JSON.stringify(log.lines)).not.toContain('token')
      await dispatcher.stop(never())
      await ended
    },
  )

  test('over one event: that one becomes a dead letter', async () => {
    const sink = fakeSink('a')
    const { dispatcher, append, clock, store } = fixture([sink])
    sink.answer = (seqs) => {
      if (seqs.includes(2)) throw new RangeError('no')
      return { kind: 'delivered' }
    }
    await append(3)
    void dispatcher.run()
    await clock.advance(DAY_MS / 4)
    expect(sink.had).toEqual([1, 3])
    expect(store.letters.map(({ event }) => event.seq)).toEqual([2])
    await dispatcher.stop(never())
  })
})
