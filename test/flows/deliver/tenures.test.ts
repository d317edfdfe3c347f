// What becomes of the loops of a sink when another replica is to own it, or does.
import { describe, expect, test } from 'vitest'
import type { DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'
import { fakeLeases } from '../../support/flows/fake-leases.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { fakeSink, fixture, never, upTo } from './dispatcher-fixture.ts'

async function owning(sink = fakeSink('a')) {
  const fake = fakeLeases()
  const all = fixture([sink], memoryStore(), manualClock(), fake.leases)
  void all.dispatcher.run()
  await all.clock.settle()
  const tenure = fake.grant('sink:a')
  await all.clock.settle()
  return { ...all, ...fake, fake, sink, tenure, progress: all.dispatcher.progress()[0] }
}

describe('the owner of a sink', () => {
  test('delivers nothing before its tenure, and goes on at the cursor in the next one', async () => {
    const { sink, append, dispatcher, tenure, fake, clock, store } = await owning()
    await append(3)
    tenure.lose()
    await clock.settle()
    await append(2)
    expect(sink.had).toEqual(upTo(3))
    // Meanwhile another replica has delivered one.
    await store.advanceCursor('a', 4)
    fake.grant('sink:a')
    await clock.settle()
    expect(sink.had).toEqual([...upTo(3), 5])
    await dispatcher.stop(never())
  })

  test('that loses it says no more of how the sink fares: that is for the next owner', async () => {
    const sink = fakeSink('a')
    sink.answer = () => ({ kind: 'refused', reason: 'answered 401' })
    const { append, dispatcher, tenure, progress, states, clock } = await owning(sink)
    await append(1)
    expect(progress).toMatchObject({ isOwned: true, state: 'refused', problem: 'answered 401' })
    expect(states.get('a')).toBe('refused')
    tenure.lose()
    await clock.settle()
    expect(progress).toMatchObject({ isOwned: false, state: 'ok', problem: null })
    expect(states.get('a')).toBe('ok')
    await dispatcher.stop(never())
  })

  test('that was paused begins nothing, whether a timer has said so or not', async () => {
    const sink = fakeSink('a')
    sink.answer = () => ({ kind: 'failed', reason: 'no answer' })
    const { append, dispatcher, tenure, progress, states, released, clock } = await owning(sink)
    await append(1)
    expect(sink.batches).toHaveLength(1)
    tenure.forget()
    await clock.advance(60_000)
    expect(sink.batches).toHaveLength(1)
    expect(released).toEqual(['sink:a'])
    expect(progress).toMatchObject({ isOwned: false, state: 'ok', problem: null })
    expect(states.get('a')).toBe('ok')
    await dispatcher.stop(never())
  })

  test('that is to give it back ends what is under way, and nothing is repeated', async () => {
    const answers: PromiseWithResolvers<DeliveryOutcome>[] = []
    const sink = fakeSink('a')
    sink.answer = () => {
      answers.push(Promise.withResolvers())
      return (answers.at(-1) as (typeof answers)[number]).promise
    }
    const { append, dispatcher, tenure, released, store, clock, isWanted } = await owning(sink)
    await append(2)
    tenure.recall()
    await clock.settle()
    expect(released).toEqual([])
    answers[0]?.resolve({ kind: 'delivered' })
    await clock.settle()
    answers[1]?.resolve({ kind: 'delivered' })
    await clock.settle()
    expect(sink.had).toEqual([1, 2])
    expect(await store.loadCursor('a')).toBe(2)
    expect(released).toEqual(['sink:a'])
    expect(isWanted('sink:a')).toBe(true)
    await dispatcher.stop(never())
  })

  test('that waits for events hands it back at once when it is to', async () => {
    const { dispatcher, tenure, released, clock } = await owning()
    tenure.recall()
    await clock.settle()
    expect(released).toEqual(['sink:a'])
    await dispatcher.stop(never())
  })
})

test('what another replica let expire while the sink failed is not delivered late', async () => {
  const sink = fakeSink('a')
  sink.answer = () => ({ kind: 'failed', reason: 'no answer' })
  const { append, dispatcher, store, clock, progress } = await owning(sink)
  await append(5)
  // The janitor of another one moves the cursor in the store, and tells nobody here.
  await store.advanceCursor('a', 3)
  sink.answer = () => ({ kind: 'delivered' })
  await clock.advance(60_000)
  expect(sink.had).toEqual([4, 5])
  expect(progress).toMatchObject({ cursor: 5, expiredUpTo: 3 })
  await dispatcher.stop(never())
})
