import { describe, expect, test } from 'vitest'
import {
  fakeSink,
  fixture,
  lettersOf,
  never,
  pickySink,
  REFUSED,
  REJECTED,
} from './dispatcher-fixture.ts'

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
