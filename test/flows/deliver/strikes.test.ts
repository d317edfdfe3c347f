// A sink that breaks: over an event of its own, or over all.
import { describe, expect, test } from 'vitest'
import type { DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'
import {
  BROKE,
  DAY_MS,
  fakeSink,
  fixture,
  never,
  pickySink,
  REFUSED,
  REJECTED,
  upTo,
  without,
} from './dispatcher-fixture.ts'

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
    await clock.advance(DAY_MS / 8)
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
    await clock.advance(DAY_MS / 8)
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
    await clock.advance(DAY_MS / 8)
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
    await clock.advance(DAY_MS / 8)
    expect(sink.had).toEqual([2])
    expect(store.letters).toEqual([])
    sink.answer = answer
    await clock.advance(DAY_MS / 8)
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
    await clock.advance(DAY_MS / 8)
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
    await clock.advance(DAY_MS / 8)
    expect(sink.had).toEqual([1, 2])
    expect(store.letters).toEqual([])
    await append(2)
    await clock.advance(5 * 60_000)
    expect(sink.had).toEqual([1, 2, 4, 5])
    expect(store.letters.map(({ event }) => event.seq)).toEqual([3])
    await dispatcher.stop(never())
  })
})
