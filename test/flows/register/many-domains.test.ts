// Two hundred domains at the pace of the real API: how long it takes, and how fast the provider is
// called meanwhile. `npm run bench -- domains` does the same with real processes.
import { expect, test } from 'vitest'
import { createPacer } from '../../../src/cloud/pacer.ts'
import type { IsStill, LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { registration } from './registration-fixture.ts'

const DOMAINS = Array.from({ length: 200 }, (_, n) => `play-${n}.example.com`)
/** Of a call across continents. */
const LATENCY_MS = 150
const MAX_CALLS_IN_A_SECOND = 12
const MINUTE = 60_000

function setWorld() {
  const clock = manualClock(undefined, 1)
  const provider = fakeApi(clock.now)
  const never = new AbortController().signal
  const paced = <Call extends (...call: never[]) => Promise<unknown>>(call: Call): Call => {
    const pacer = createPacer(clock)
    const slow = async (...given: Parameters<Call>) => {
      await pacer.turn(never, given[3] as IsStill | undefined)
      const answer = await call(...given)
      await clock.sleep(LATENCY_MS, never)
      return answer
    }
    return slow as unknown as Call
  }
  const { describe, add, update, remove } = provider.api
  const api: LiveApi = {
    describe: paced(describe),
    add: paced(add),
    update: paced(update),
    remove: paced(remove),
  }
  return { clock, provider, api, store: memoryStore(), domains: DOMAINS, alone: true }
}

type World = ReturnType<typeof setWorld>

/** Starts a service that knows of nothing but its store. Returns after how many seconds all is in sync. */
async function secondsUntilInSync(world: World) {
  const it = await registration(world)
  const begunAt = world.clock.now()
  const started = it.start()
  const settled = () => it.registrar.views().every(({ state }) => state === 'in_sync')
  await started
  while (!settled() && world.clock.now() - begunAt < MINUTE) await world.clock.advance(500)
  return { it, seconds: (world.clock.now() - begunAt) / 1_000 }
}

function mostCallsInASecond({ provider }: World): number {
  const counts = provider.calls.map(
    ({ operation, at }) =>
      provider.calls.filter(
        (call) => call.operation === operation && call.at >= at && call.at < at + 1_000,
      ).length,
  )
  return Math.max(...counts)
}

test('register within 45 s, are in sync again within 25 s, and never faster than 12 calls a second', async () => {
  const world = setWorld()
  const first = await secondsUntilInSync(world)
  expect(first.seconds).toBeLessThan(45)
  expect(world.provider.count('add')).toBe(DOMAINS.length)
  expect(world.provider.count('describe')).toBe(2 * DOMAINS.length)
  await first.it[Symbol.asyncDispose]()

  const second = await secondsUntilInSync(world)
  await using service = second.it
  expect(second.seconds).toBeLessThan(25)
  expect(world.provider.count('add')).toBe(DOMAINS.length)
  expect(world.provider.count('describe')).toBe(3 * DOMAINS.length)

  // Idle: one Describe for each domain and interval, of five minutes here.
  await world.clock.advance(5 * MINUTE)
  expect(world.provider.count('describe')).toBe(4 * DOMAINS.length)
  expect(service.registrar.views().every(({ state }) => state === 'in_sync')).toBe(true)
  expect(mostCallsInASecond(world)).toBeLessThanOrEqual(MAX_CALLS_IN_A_SECOND)
})
