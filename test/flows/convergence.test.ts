// Random lives of several replicas: operators edit, replicas crash, rotate and lose their disks, the
// provider lags and fails. Whatever happened: when it stops, all agree, and nobody writes any more.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { notifyKey } from '../../src/core/notify-key.ts'
import type { FaultCode } from '../../src/errors.ts'
import { fakeApi, memoryStore } from '../support/flow-fakes.ts'
import { manualClock } from '../support/manual-clock.ts'
import { DOMAIN, FOREIGN, INTERVAL_MS, NEW, OUR_URL, registration } from './registration-fixture.ts'

const RUNS = 60
const REPLICAS = 3
/** More than the longest lag and a reconcile interval after it. */
const CALM_MS = 3 * INTERVAL_MS

type Replica = Awaited<ReturnType<typeof registration>>
type World = {
  readonly clock: ReturnType<typeof manualClock>
  readonly provider: ReturnType<typeof fakeApi>
  readonly stores: ReturnType<typeof memoryStore>[]
  readonly replicas: Replica[]
}
type Action = (world: World) => Promise<void> | void

const replica = fc.nat(REPLICAS - 1)
const FAULTS: FaultCode[] = ['api_unavailable', 'api_throttled', 'api_denied', 'api_config_exists']

async function restart(world: World, index: number): Promise<void> {
  const { clock, provider, stores, replicas } = world
  await replicas[index]?.[Symbol.asyncDispose]()
  const store = stores[index] as ReturnType<typeof memoryStore>
  const started = await registration({ clock, provider, store })
  replicas[index] = started
  await started.start()
}

const actions = fc.oneof<fc.Arbitrary<Action>[]>(
  fc.integer({ min: 1, max: 400 }).map(
    (seconds) =>
      ({ clock }) =>
        clock.advance(seconds * 1_000),
  ),
  replica.map((index) => async ({ replicas, clock }) => {
    replicas[index]?.registrar.rotate(DOMAIN)
    await clock.advance(2 * INTERVAL_MS)
  }),
  replica.map((index) => (world) => restart(world, index)),
  replica.map((index) => (world) => {
    world.stores[index] = memoryStore()
    return restart(world, index)
  }),
  fc.constantFrom(FOREIGN, 'anotherKeySetByHand1').map((key) => ({ provider }) => {
    provider.configurations.set(DOMAIN, { kind: 'present', url: OUR_URL, auth: true, key })
  }),
  fc.constant(({ provider }: World) => {
    const now = provider.configurations.get(DOMAIN)
    if (now?.kind === 'present') provider.configurations.set(DOMAIN, { ...now, auth: false })
  }),
  fc.constant(({ provider }: World) => {
    provider.configurations.delete(DOMAIN)
  }),
  fc.constantFrom(0, 3_000, 240_000).map((lagMs) => ({ provider }) => {
    provider.lagMs = lagMs
  }),
  fc
    .record({
      operation: fc.constantFrom('describe', 'add', 'update'),
      code: fc.constantFrom(...FAULTS),
      times: fc.integer({ min: 1, max: 4 }),
    })
    .map((fault) => ({ provider }) => {
      provider.faults.push(fault)
    }),
)

test('when edits stop, all replicas agree on a key that each accepts, and nothing is written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(actions, { minLength: 3, maxLength: 14 }), async (steps) => {
      const clock = manualClock()
      const provider = fakeApi(clock.now)
      const stores = Array.from({ length: REPLICAS }, memoryStore)
      const world: World = { clock, provider, stores, replicas: [] }
      for (let index = 0; index < REPLICAS; index++) await restart(world, index)
      try {
        for (const step of steps) await step(world)
        provider.lagMs = 0
        provider.faults.length = 0
        // A contest that the edits looked like has to run out as well.
        await clock.advance(CALM_MS)
        if (world.replicas.some((it) => it.view()?.state === 'contested')) {
          await clock.advance(3 * 3_600_000)
        }
        const configured = provider.configurations.get(DOMAIN)
        expect(configured).toMatchObject({ kind: 'present', url: OUR_URL, auth: true })
        const key = configured?.kind === 'present' ? (configured.key ?? '') : ''
        for (const it of world.replicas) {
          expect(it.view()).toMatchObject({ state: 'in_sync', detail: null, keyKnown: true })
          expect(it.accepts(key)).toBe(true)
        }
        const writes = provider.count('add') + provider.count('update')
        await clock.advance(CALM_MS)
        expect(provider.count('add') + provider.count('update')).toBe(writes)
      } finally {
        for (const it of world.replicas) await it[Symbol.asyncDispose]()
      }
    }),
    { numRuns: RUNS },
  )
}, 120_000)

test('a key that is set by hand causes no write, and is accepted by all after a look', async () => {
  const clock = manualClock()
  const provider = fakeApi(clock.now)
  await using first = await registration({ clock, provider })
  await using second = await registration({ clock, provider })
  await first.start()
  await second.start()
  const writes = provider.count('add') + provider.count('update')
  first.set(OUR_URL, FOREIGN)
  await clock.advance(2 * INTERVAL_MS)
  expect(provider.count('add') + provider.count('update')).toBe(writes)
  for (const it of [first, second]) {
    expect(it.accepts(FOREIGN)).toBe(true)
    expect(it.accepts(notifyKey(NEW, DOMAIN, 0))).toBe(true)
  }
})
