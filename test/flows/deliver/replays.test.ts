import { describe, expect, test } from 'vitest'
import { eventOf } from '../../support/store/store-events.ts'
import {
  BROKE,
  DAY_MS,
  fakeSink,
  fixture,
  never,
  REFUSED,
  steadySink,
  upTo,
} from './dispatcher-fixture.ts'

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
