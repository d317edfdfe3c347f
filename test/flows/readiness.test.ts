import { describe, expect, test } from 'vitest'
import { FULL_SIZE } from '../../src/core/delivery/batch-size.ts'
import type { SinkState } from '../../src/core/delivery/outcome.ts'
import { createReadiness } from '../../src/flows/readiness.ts'
import type { RegistrationView } from '../../src/ports/views.ts'
import { soleOwner } from '../../src/store/sole-owner.ts'
import { manualClock } from '../support/flows/manual-clock.ts'
import { memoryStore } from '../support/store/memory-store.ts'
import { eventOf } from '../support/store/store-events.ts'

function fixture() {
  const clock = manualClock()
  const store = memoryStore()
  const view: RegistrationView = {
    domain: 'play.example.com',
    state: 'pending',
    detail: null,
    url: 'https://hook.example.com/callbacks/play.example.com',
    foundUrl: null,
    keyKnown: false,
    unsigned: 0,
    generation: null,
    lastCallbackAt: null,
    lookedAt: null,
  }
  const views = [view, { ...view, domain: 'live.example.com' }]
  const sink = {
    ...{ name: 'stdout', cursor: 0, expiredUpTo: 0, problem: null, size: FULL_SIZE },
    state: 'ok' as SinkState,
    isOwned: true,
  }
  const readiness = createReadiness({
    store,
    registrar: { views: () => views },
    dispatcher: { progress: () => [sink] },
    leases: soleOwner,
    audits: () => [],
    clock,
  })
  const set = (index: number, over: Partial<RegistrationView>): void => {
    views[index] = { ...view, ...views[index], ...over }
  }
  return { clock, store, sink, readiness, set, ready: async () => (await readiness.check()).ready }
}

describe('ready', () => {
  test('when the first pass has ended for every domain and one key in force is known', async () => {
    const { set, ready, readiness } = fixture()
    expect(await readiness.check()).toMatchObject({
      ready: false,
      reasons: ['first registration under way', 'no notify key in force is known yet'],
    })
    set(0, { state: 'in_sync', keyKnown: true })
    expect(await ready()).toBe(false)
    set(1, { state: 'failed' })
    expect(await ready()).toBe(true)
  })

  test('after 30 s in which not every pass has ended, if one key is known', async () => {
    const { set, ready, clock } = fixture()
    set(0, { keyKnown: true })
    await clock.advance(29_999)
    expect(await ready()).toBe(false)
    await clock.advance(1)
    expect(await ready()).toBe(true)
  })

  test('never without a key', async () => {
    const { ready, clock } = fixture()
    await clock.advance(60_000)
    expect(await ready()).toBe(false)
  })
})

describe('once ready', () => {
  test('a trouble of the provider changes nothing', async () => {
    const { set, ready } = fixture()
    for (const index of [0, 1]) set(index, { state: 'in_sync', keyKnown: true })
    expect(await ready()).toBe(true)
    for (const index of [0, 1]) set(index, { state: 'pending', keyKnown: false })
    expect(await ready()).toBe(true)
  })

  test('the store and the end do', async () => {
    const { set, ready, store, readiness } = fixture()
    for (const index of [0, 1]) set(index, { state: 'in_sync', keyKnown: true })
    store.fail = 'store_full'
    expect(await readiness.check()).toMatchObject({ ready: false, store: 'failing' })
    store.fail = undefined
    expect(await ready()).toBe(true)
    readiness.stop()
    expect(await readiness.check()).toMatchObject({ ready: false, reasons: ['stopping'] })
  })
})

test('sinks are shown with their lag, and sampled for the metrics', async () => {
  const { store, sink, readiness } = fixture()
  for (const n of [1, 2, 3]) await store.append(eventOf(n))
  Object.assign(sink, { cursor: 1, state: 'refused', problem: 'answered 401' })
  const refused = { event: { ...eventOf(1), seq: 1 }, reason: 'answered 400', attempts: 1 }
  await store.advanceCursor('stdout', 1, [refused])
  expect((await readiness.check()).sinks).toEqual([
    {
      name: 'stdout',
      state: 'refused',
      lag: 2,
      batchSize: 100,
      detail: 'answered 401',
      deadLetters: 1,
    },
  ])
  // Letters of a sink that was taken out are somebody's business still.
  await store.advanceCursor('old', 1, [refused])
  expect(await readiness.sample()).toEqual({
    eventsStored: 3,
    lagBySink: new Map([['stdout', 2]]),
    deadLettersBySink: new Map([
      ['stdout', 1],
      ['old', 1],
    ]),
  })
  store.fail = 'store_failed'
  sink.cursor = 2
  expect((await readiness.check()).sinks).toMatchObject([
    { name: 'stdout', state: 'refused', lag: 1, deadLetters: 1 },
  ])
  await expect(readiness.sample()).rejects.toMatchObject({ code: 'store_failed' })
})
