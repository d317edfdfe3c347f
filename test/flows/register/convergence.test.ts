// Random lives of several replicas: operators edit, replicas crash between two steps, rotate and
// lose their disks, the provider lags and fails. Whatever happens, no callback is refused that was
// promised to be accepted; and when it stops, all agree, and nobody writes any more.
import fc from 'fast-check'
import { test } from 'vitest'
import type { FaultCode } from '../../../src/errors.ts'
import type { Side } from '../../support/registration/steps.ts'
import { rounds } from '../../support/rounds.ts'
import { SEED } from '../../support/seed.ts'
import { createWorld, type World } from '../world.ts'
import { DOMAIN, ELSEWHERE, FOREIGN, INTERVAL_MS, OUR_URL } from './registration-fixture.ts'

const RUNS = rounds(60)
const OTHER_FOREIGN = 'anotherKeySetByHand1'
const FAULTS: FaultCode[] = ['api_unavailable', 'api_throttled', 'api_denied', 'api_config_exists']

type Action = (world: World) => Promise<unknown> | unknown

const replica = fc.nat(2)
const pause: fc.Arbitrary<Action> = fc
  .constantFrom(1, 20, 300, 450, 600, 2_000)
  .map((seconds) => (world) => world.clock.advance(seconds * 1_000))
/** Of pushes that go on for longer than the grace time, or not. */
const callbacks: fc.Arbitrary<Action> = fc.constantFrom(1, 1, 6).map((rounds) => async (world) => {
  for (let round = 1; round < rounds; round++) {
    await world.callbacksAreAccepted()
    await world.clock.advance(INTERVAL_MS)
  }
  await world.callbacksAreAccepted()
})

const ofOperators: fc.Arbitrary<Action>[] = [
  fc.constantFrom(FOREIGN, OTHER_FOREIGN).map((key) => (world) => {
    world.set({ kind: 'present', url: OUR_URL, auth: true, key })
  }),
  fc.constant((world) => {
    const now = world.configured()
    if (now?.kind === 'present') world.set({ ...now, auth: false })
  }),
  fc.constant((world) => {
    const now = world.configured()
    if (now?.kind === 'present') world.set({ ...now, url: ELSEWHERE })
  }),
  fc.constant((world) => world.provider.configurations.delete(DOMAIN)),
  replica.map((index) => async ({ replicas, clock }) => {
    replicas[index]?.rotate()
    await clock.advance(INTERVAL_MS)
  }),
  fc.constant((world) => world.exchangeSecrets()),
]

const ofReplicas: fc.Arbitrary<Action>[] = [
  replica.map((index) => (world) => world.restart(index)),
  fc
    .tuple(replica, fc.nat(12), fc.constantFrom<Side>('before', 'after'))
    .map((death) => (world) => world.crash(...death)),
  replica.map((index) => (world) => world.loseDisk(index)),
]

const ofTheProvider: fc.Arbitrary<Action>[] = [
  fc.constantFrom(0, 3_000, 240_000).map((lagMs) => ({ provider }) => {
    provider.lagMs = lagMs
  }),
  fc.constantFrom(1, 2).map((lostAnswers) => ({ provider }) => {
    provider.lostAnswers = lostAnswers
  }),
  fc
    .record({
      operation: fc.constantFrom('describe', 'add', 'update'),
      code: fc.constantFrom(...FAULTS),
      times: fc.integer({ min: 1, max: 4 }),
    })
    .map(
      (fault) =>
        ({ provider }) =>
          provider.faults.push(fault),
    ),
  fc.constant(({ provider }) => provider.calm()),
]

const actions = fc.oneof(
  { arbitrary: fc.oneof(...ofOperators), weight: 4 },
  { arbitrary: fc.oneof(...ofReplicas), weight: 3 },
  { arbitrary: fc.oneof(...ofTheProvider), weight: 2 },
  { arbitrary: callbacks, weight: 4 },
  { arbitrary: pause, weight: 4 },
)

test('no callback is refused meanwhile, all agree in the end, and keys alone cause no write', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(actions, { minLength: 3, maxLength: 20 }),
      async (takeover, life) => {
        await using world = await createWorld(takeover)
        for (const act of life) await act(world)
        await world.converges()
        await world.callbacksAreAccepted()
        world.noWriteForKeysAlone()
      },
    ),
    { numRuns: RUNS, seed: SEED },
  )
}, 180_000)
