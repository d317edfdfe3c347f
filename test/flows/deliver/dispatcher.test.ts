import { describe, expect, test } from 'vitest'
import type { DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'
import { createDispatcher } from '../../../src/flows/deliver/dispatcher.ts'
import type { Sink } from '../../../src/ports/sink.ts'
import { keptLog } from '../../support/flow-fakes.ts'
import { memoryStore } from '../../support/memory-store.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { eventOf } from '../../support/store-events.ts'

function fakeSink(name: string) {
  const sink = {
    name,
    had: [] as number[],
    batches: [] as number[],
    answer: (_seqs: number[]): DeliveryOutcome | Promise<DeliveryOutcome> => ({
      kind: 'delivered',
    }),
    closed: false,
    async deliver(events: Parameters<Sink['deliver']>[0], signal: AbortSignal) {
      sink.batches.push(events.length)
      const stopped = Promise.withResolvers<DeliveryOutcome>()
      signal.addEventListener('abort', () => stopped.resolve({ kind: 'failed', reason: 'stopped' }))
      const outcome = await Promise.race([
        sink.answer(events.map(({ seq }) => seq)),
        stopped.promise,
      ])
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
  const states = new Map<string, string>()
  const dispatcher = createDispatcher({
    sinks,
    events: store,
    cursors: store,
    deadLetters: store,
    replays: store,
    clock,
    random: () => 1,
    metrics: {
      attempted: (sink, outcome, events) => attempts.push(`${sink} ${outcome} ${events}`),
      sinkState: (sink, state) => states.set(sink, state),
    },
    log,
  })
  let appended = 0
  async function append(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      await store.append({
        id: (appended++).toString(16).padStart(64, '0'),
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
  return { sinks, store, clock, log, attempts, states, dispatcher, append }
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

/** A sink that answers `outcome` to whatever holds one of `seqs`. */
function pickySink(seqs: number[], outcome: DeliveryOutcome) {
  const sink = fakeSink('a')
  sink.answer = (sent) => (sent.some((seq) => seqs.includes(seq)) ? outcome : { kind: 'delivered' })
  return sink
}
const without = (last: number, ...missing: number[]) =>
  upTo(last).filter((seq) => !missing.includes(seq))
const lettersOf = ({ letters }: ReturnType<typeof memoryStore>) =>
  letters.map(({ event, reason, attempts }) => [event.seq, reason, attempts])
const REJECTED = { kind: 'rejected', reason: 'answered 422' } as const
const REFUSED = { kind: 'refused', reason: 'answered 401' } as const
const BROKE = { kind: 'failed', reason: 'answered 500', strike: true } as const
const DAY_MS = 86_400_000

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

describe('a sink that breaks', () => {
  test.each([
    ['over one event', [37]],
    ['over the first', [1]],
    ['over two neighbours', [37, 38]],
    ['over three in the middle', [60, 61, 62]],
  ])('%s: they are found, the others are delivered in order', async (_what, bad) => {
    const sink = pickySink(bad, BROKE)
    const { dispatcher, append, store, clock } = fixture([sink])
    await append(120)
    void dispatcher.run()
    await clock.advance(DAY_MS / 4)
    expect(sink.had).toEqual(without(120, ...bad))
    expect(store.letters.map(({ event }) => event.seq)).toEqual(bad)
    for (const { attempts } of store.letters) expect(attempts).toBeGreaterThanOrEqual(10)
    await dispatcher.stop(never())
  })

  test('over everything, for hours: nothing is given up', async () => {
    const sink = fakeSink('a')
    const { dispatcher, append, store, clock } = fixture([sink])
    sink.answer = () => BROKE
    await append(300)
    void dispatcher.run()
    await clock.advance(DAY_MS / 4)
    sink.answer = () => ({ kind: 'delivered' })
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual(upTo(300))
    expect(store.letters).toEqual([])
    await dispatcher.stop(never())
  })

  test('over everything, and then on one of two backends: nothing is given up', async () => {
    const sink = fakeSink('a')
    const { dispatcher, append, store, clock } = fixture([sink])
    sink.answer = () => BROKE
    await append(200)
    void dispatcher.run()
    await clock.advance(DAY_MS / 4)
    let request = 0
    sink.answer = () => (request++ % 2 === 0 ? BROKE : { kind: 'delivered' })
    await clock.advance(60 * 60_000)
    expect(store.letters).toEqual([])
    expect(sink.had.toSorted((a, b) => a - b).filter((seq, n, all) => seq !== all[n - 1])).toEqual(
      upTo(200),
    )
    // One that was delivered after its neighbour has the neighbour come again.
    const last = upTo(200).map((seq) => sink.had.lastIndexOf(seq))
    expect(last).toEqual(last.toSorted((a, b) => a - b))
    await dispatcher.stop(never())
  })

  test('over an event, and is gone when that is tried once more: it is kept until it breaks it again', async () => {
    const sink = pickySink([1], BROKE)
    const { dispatcher, append, store, clock } = fixture([sink])
    await append(2)
    const { answer } = sink
    let isGone = false
    sink.answer = async (seqs) => {
      const outcome = isGone ? REFUSED : await answer(seqs)
      isGone ||= outcome.kind === 'delivered'
      return outcome
    }
    void dispatcher.run()
    await clock.advance(DAY_MS / 4)
    expect(sink.had).toEqual([2])
    expect(store.letters).toEqual([])
    sink.answer = answer
    await clock.advance(DAY_MS / 4)
    expect(sink.had).toEqual([2, 2])
    expect(store.letters.map(({ event }) => event.seq)).toEqual([1])
    await dispatcher.stop(never())
  })

  test('over everything but what a proxy rejects: nothing is given up till it is back', async () => {
    const sink = fakeSink('a')
    const { dispatcher, append, store, clock } = fixture([sink])
    const isDown = (outcome: DeliveryOutcome) => (seqs: number[]) =>
      seqs.includes(2) && seqs.length === 1 ? REJECTED : outcome
    sink.answer = isDown(BROKE)
    await append(3)
    void dispatcher.run()
    await clock.advance(DAY_MS / 4)
    expect(store.letters).toEqual([])
    sink.answer = (seqs) => (seqs.includes(2) ? REJECTED : { kind: 'delivered' })
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual([1, 3])
    expect(store.letters.map(({ event }) => event.seq)).toEqual([2])
    await dispatcher.stop(never())
  })

  test('over the last event: it is given up only when the next one passes', async () => {
    const sink = pickySink([3], BROKE)
    const { dispatcher, append, store, clock } = fixture([sink])
    await append(3)
    void dispatcher.run()
    await clock.advance(DAY_MS / 4)
    expect(sink.had).toEqual([1, 2])
    expect(store.letters).toEqual([])
    await append(2)
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual([1, 2, 4, 5])
    expect(store.letters.map(({ event }) => event.seq)).toEqual([3])
    await dispatcher.stop(never())
  })
})

/** Takes one event after the other until `answer` has another outcome. */
function steadySink(answer: (seq: number) => DeliveryOutcome, sink = fakeSink('a')) {
  sink.deliver = async (events) => {
    sink.batches.push(events.length)
    for (const [confirmed, { seq }] of events.entries()) {
      const outcome = answer(seq)
      if (outcome.kind !== 'delivered') return { ...outcome, confirmed }
      sink.had.push(seq)
    }
    return { kind: 'delivered' }
  }
  return sink
}

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

describe('a dead letter that is to be tried again', () => {
  async function withLetters(sink = fakeSink('a')) {
    const all = fixture([sink])
    await all.append(4)
    const events = await all.store.read(0, 3)
    const rejected = events.map((event) => ({ event, reason: 'answered 400', attempts: 1 }))
    await all.store.advanceCursor('a', 4, rejected)
    const retry = (...seqs: number[]) =>
      all.store.changeDeadLetters({ kind: 'request_retry', sink: 'a', seqs })
    void all.dispatcher.run()
    await all.clock.settle()
    return { ...all, sink, retry }
  }

  test('is delivered within a second and gone; the cursor and the others stay', async () => {
    const { sink, retry, store, clock, dispatcher } = await withLetters()
    await retry(3, 1)
    await clock.advance(1_000)
    expect(sink.had).toEqual([1, 3])
    expect(lettersOf(store)).toEqual([[2, 'answered 400', 1]])
    expect(await store.loadCursor('a')).toBe(4)
    await dispatcher.stop(never())
  })

  test('stays with the new reason when it is refused for good again', async () => {
    const { sink, retry, store, clock, dispatcher } = await withLetters(pickySink([1], REJECTED))
    await retry(1, 2)
    await clock.advance(60_000)
    expect(sink.had).toEqual([2])
    expect(lettersOf(store)).toEqual(
      [
        [3, 'answered 400', 1],
        [1, 'answered 422', 2],
      ].toSorted(),
    )
    expect(sink.batches).toHaveLength(2)
    await dispatcher.stop(never())
  })

  test('waits for a sink that is down, and holds up no new event', async () => {
    const sink = fakeSink('a')
    const { retry, store, clock, append, dispatcher } = await withLetters(sink)
    sink.answer = (seqs) => (seqs[0] === 1 ? REFUSED : { kind: 'delivered' })
    await retry(1)
    await clock.advance(60_000)
    await append(1)
    expect(sink.had).toEqual([5])
    sink.answer = () => ({ kind: 'delivered' })
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual([5, 1])
    expect(store.letters).toHaveLength(2)
    await dispatcher.stop(never())
  })
})

describe('a sink that takes little at once', () => {
  const small = (most: number) => {
    const sink = fakeSink('a')
    sink.answer = (seqs) =>
      seqs.length <= most ? { kind: 'delivered' } : { ...BROKE, reason: 'no answer within 15 s' }
    return sink
  }

  test('gets all, in order and without suspicion; the size in use shows', async () => {
    const sink = small(9)
    const { dispatcher, append, store, clock, log } = fixture([sink])
    await append(500)
    void dispatcher.run()
    await clock.advance(60_000)
    expect(sink.had).toEqual(upTo(500))
    expect(store.letters).toEqual([])
    expect(dispatcher.progress()).toMatchObject([{ state: 'ok', size: { limit: 7 } }])
    expect(log.story()).toContain('sink fails, retrying')
    await dispatcher.stop(never())
  })

  test('a replay begins with the size that is known by then', async () => {
    const sink = small(9)
    const { dispatcher, append, store, clock } = fixture([sink])
    await append(100)
    void dispatcher.run()
    await clock.advance(60_000)
    sink.batches.length = 0
    sink.had.length = 0
    const all = { since: null, until: null, domain: null, stream: null }
    await store.requestReplay({ sink: 'a', ...all })
    await clock.advance(60_000)
    expect(sink.had).toEqual(upTo(100))
    expect(Math.max(...sink.batches)).toBeLessThan(20)
    await dispatcher.stop(never())
  })
})

describe('a replay', () => {
  const ALL = { sink: 'a', since: null, until: null, domain: null, stream: null }

  async function delivered(count: number) {
    const it = fixture()
    const sink = it.sinks[0] as ReturnType<typeof fakeSink>
    void it.dispatcher.run()
    await it.append(count)
    expect(sink.had).toEqual(upTo(count))
    sink.had.length = 0
    return { ...it, sink }
  }

  test('delivers again what was in the log, marked as such, beside what is new', async () => {
    const { store, sink, append, clock, dispatcher, log } = await delivered(250)
    const marks = new Set<number | undefined>()
    const { deliver } = sink
    sink.deliver = (events, signal) => {
      for (const { seq, replay } of events) if (seq <= 250) marks.add(replay)
      return deliver(events, signal)
    }
    const id = await store.requestReplay(ALL)
    await append(2)
    await clock.advance(2_000)
    expect(sink.had.filter((seq) => seq <= 250)).toEqual(upTo(250))
    expect(sink.had.filter((seq) => seq > 250)).toEqual([251, 252])
    expect([...marks]).toEqual([id])
    expect(store.replays).toMatchObject([{ delivered: 250, rejected: 0, endedAt: 1 }])
    expect(dispatcher.progress()[0]?.cursor).toBe(252)
    expect(log.story()).toEqual(['replay begins', 'replay ends'])
    await dispatcher.stop(never())
  })

  test('of what is selected, and of nothing', async () => {
    const { store, sink, clock, dispatcher } = await delivered(5)
    await store.requestReplay({ ...ALL, domain: 'another' })
    await store.requestReplay({ ...ALL, since: 1 })
    await clock.advance(5_000)
    expect(sink.had).toEqual([])
    expect(store.replays).toMatchObject(Array(2).fill({ delivered: 0, endedAt: 1 }))
    await dispatcher.stop(never())
  })

  test('goes on after a restart, and passes over what the sink rejects', async () => {
    const { store, sink, clock, dispatcher } = await delivered(250)
    sink.answer = (seqs) =>
      seqs.some((seq) => seq > 100)
        ? { kind: 'failed', reason: 'no answer' }
        : { kind: 'delivered' }
    await store.requestReplay(ALL)
    await clock.advance(5_000)
    expect(sink.had).toEqual(upTo(100))
    const stopped = dispatcher.stop(never())
    await clock.advance(1_000)
    await stopped
    const again = fixture([fakeSink('a')], store)
    const next = again.sinks[0] as ReturnType<typeof fakeSink>
    next.answer = (seqs) =>
      seqs.includes(170) ? { kind: 'rejected', reason: 'answered 422' } : { kind: 'delivered' }
    void again.dispatcher.run()
    await again.clock.advance(5_000)
    expect(next.had).toEqual(upTo(250).filter((seq) => seq > 100 && seq !== 170))
    expect(store.replays).toMatchObject([{ delivered: 249, rejected: 1, endedAt: 1 }])
    expect(store.letters).toEqual([])
    await again.dispatcher.stop(never())
  })

  test('repeats nothing that got through before the sink failed', async () => {
    const { store, sink, clock, dispatcher } = await delivered(100)
    let full = true
    sink.deliver = steadySink(
      (seq) => (full && seq > 60 ? { kind: 'failed', reason: 'full' } : { kind: 'delivered' }),
      sink,
    ).deliver
    await store.requestReplay(ALL)
    await clock.advance(2_000)
    expect(sink.had).toEqual(upTo(60))
    full = false
    await clock.advance(60_000)
    expect(sink.had).toEqual(upTo(100))
    expect(store.replays).toMatchObject([{ delivered: 100, rejected: 0, endedAt: 1 }])
    await dispatcher.stop(never())
  })

  test('is called off while the sink is down', async () => {
    const { store, sink, clock, dispatcher, log } = await delivered(5)
    sink.answer = () => ({ kind: 'refused', reason: 'answered 401' })
    const id = await store.requestReplay(ALL)
    await clock.advance(60_000)
    await store.cancelReplay(id)
    sink.answer = () => ({ kind: 'delivered' })
    await clock.advance(10 * 60_000)
    expect(sink.had).toEqual([])
    expect(log.story()).toEqual(['replay begins', 'replay fails, retrying', 'replay is called off'])
    await dispatcher.stop(never())
  })

  test('gives nothing up while the sink breaks over everything', async () => {
    const { store, sink, clock, dispatcher } = await delivered(100)
    sink.answer = () => BROKE
    await store.requestReplay(ALL)
    await clock.advance(DAY_MS / 4)
    sink.answer = () => ({ kind: 'delivered' })
    await clock.advance(10 * 60_000)
    expect(sink.had).toEqual(upTo(100))
    expect(store.replays).toMatchObject([{ delivered: 100, rejected: 0, endedAt: 1 }])
    await dispatcher.stop(never())
  })

  test('sends no larger batches than the loop beside it', async () => {
    const { store, sink, append, clock, dispatcher } = await delivered(0)
    sink.answer = () => ({ kind: 'delivered' })
    for (const n of upTo(9)) {
      await store.append({ ...eventOf(n), body: new Uint8Array(64 * 1024) })
    }
    await append(0)
    dispatcher.notify()
    await clock.settle()
    sink.batches.length = 0
    await store.requestReplay(ALL)
    await clock.advance(1_000)
    expect(sink.batches).toEqual([4, 4, 1])
    await dispatcher.stop(never())
  })

  test('is of what the sink has had: nothing comes as a replay first', async () => {
    const { store, sink, append, clock, dispatcher } = await delivered(3)
    sink.answer = () => REFUSED
    await append(5)
    await clock.advance(60 * 60_000)
    sink.answer = () => ({ kind: 'delivered' })
    await store.requestReplay(ALL)
    await clock.advance(10 * 60_000)
    expect(sink.had).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(store.replays).toMatchObject([{ lastSeq: 3, delivered: 3 }])
    await dispatcher.stop(never())
  })

  test('is not called off by a store that fails for a moment', async () => {
    const { store, sink, clock, dispatcher, log } = await delivered(2)
    sink.answer = () => ({ kind: 'failed', reason: 'no answer' })
    await store.requestReplay(ALL)
    await clock.advance(1_000)
    store.fail = 'store_slow'
    await clock.advance(60_000)
    store.fail = undefined
    sink.answer = () => ({ kind: 'delivered' })
    await clock.advance(10 * 60_000)
    expect(sink.had).toEqual([1, 2])
    expect(log.story()).not.toContain('replay is called off')
    expect(log.story()).toContain('replay ends')
    await dispatcher.stop(never())
  })

  test('keeps what it delivered when it is stopped then', async () => {
    const { store, sink, clock, dispatcher } = await delivered(150)
    let stopping: Promise<void> | undefined
    sink.answer = () => {
      stopping ??= dispatcher.stop(never())
      return { kind: 'delivered' }
    }
    await store.requestReplay(ALL)
    await clock.advance(1_000)
    await stopping
    expect(sink.had).toEqual(upTo(100))
    expect(store.replays).toMatchObject([{ lookedUpTo: 100, delivered: 100, endedAt: null }])
  })

  test('says when it begins to fail, and when it goes on', async () => {
    const { store, sink, clock, dispatcher, log } = await delivered(2)
    sink.answer = () => REFUSED
    await store.requestReplay(ALL)
    await clock.advance(60 * 60_000)
    expect(log.lines).toMatchObject([
      { message: 'replay begins' },
      { level: 'warn', fields: { sink: 'a', replay: 1, reason: 'answered 401' } },
    ])
    sink.answer = () => ({ kind: 'delivered' })
    await clock.advance(10 * 60_000)
    expect(log.story().slice(2)).toEqual(['replay goes on', 'replay ends'])
    await dispatcher.stop(never())
  })

  test('gives up an event that breaks the sink again and again', async () => {
    const { store, sink, clock, dispatcher } = await delivered(3)
    sink.answer = (seqs) =>
      seqs.includes(2)
        ? { kind: 'failed', reason: 'answered 500', strike: true }
        : { kind: 'delivered' }
    await store.requestReplay(ALL)
    await clock.advance(3 * 3_600_000)
    expect(sink.had).toEqual([1, 3])
    expect(store.replays).toMatchObject([{ delivered: 2, rejected: 1, endedAt: 1 }])
    await dispatcher.stop(never())
  })
})
