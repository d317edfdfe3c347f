import { describe, expect, test } from 'vitest'
import { BROKE, fakeSink, fixture, never, upTo } from './dispatcher-fixture.ts'

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
