// Made-up days: streams that come and go, callbacks that are lost, late, doubled or shapeless,
// restarts, lists that lag and spell names otherwise. Whatever happens, every listed shot that is
// older than the margin is in the log once as a shot, and nothing that came is doubled.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ProvidersShot } from '../../support/flows/fake-lists.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { rounds } from '../../support/rounds.ts'
import { SEED } from '../../support/seed.ts'
import {
  type Body,
  HOUR,
  INTERVAL_MS,
  MINUTE,
  provider,
  replica,
  SHOT_EVERY_MS,
} from './fixture.ts'

const SAME_SHOT_MS = 1_500

const part = fc.record({
  minutes: fc.integer({ min: 3, max: 40 }),
  streams: fc.subarray(['a', 'b', 'Cam', 'd-[x]*'], { minLength: 1 }),
  /** One in so many callbacks is lost. */
  loses: fc.constantFrom(Infinity, 200, 40, 15),
  /** One in so many comes once more, with another try. */
  doubles: fc.constantFrom(Infinity, 10),
  lateMs: fc.constantFrom(50, 900, 20_000),
  isDown: fc.constantFrom(false, false, false, true),
})

const day = fc.record({
  parts: fc.array(part, { minLength: 1, maxLength: 4 }),
  mode: fc.constantFrom('sequence' as const, 'overwrite' as const, 'both' as const),
  body: fc.constantFrom<Body>('full', 'without_time'),
  lagMs: fc.constantFrom(0, 1_000, 4 * MINUTE),
  isSpeltOtherwise: fc.boolean(),
  seed: fc.integer(),
})

test('every shot is there once', { timeout: 120_000 }, async () => {
  const parameters = { numRuns: rounds(25), interruptAfterTimeLimit: 20_000, seed: SEED }
  await fc.assert(fc.asyncProperty(day, liveThrough), parameters)
})

type Day = typeof day extends fc.Arbitrary<infer T> ? T : never

async function liveThrough({ parts, mode, body, lagMs, isSpeltOtherwise, seed }: Day) {
  const world = provider(manualClock(undefined, 1))
  const { clock, lists } = world
  lists.lagMs = lagMs
  if (isSpeltOtherwise) {
    lists.spell = ({ app, stream }) => ({ app: app.toUpperCase(), stream: stream.toUpperCase() })
  }
  // Events that show neither time nor an object of their own can only be counted, and only if they
  // are signed soon.
  const isCountedOnly = body === 'without_time' && mode === 'overwrite'
  const random = randomOf(seed)
  let one: ReturnType<typeof replica> | null = replica(world)
  const { store } = one
  const shots: ProvidersShot[] = []
  for (const { minutes, streams, loses, doubles, isDown, ...rest } of parts) {
    const lateMs = isCountedOnly ? Math.min(rest.lateMs, 900) : rest.lateMs
    if (isDown) {
      await one?.stop()
      one = null
    }
    const ends = streams.map((stream) =>
      lists.push({ app: 'live', stream, from: clock.now(), until: null }),
    )
    for (let passed = 0; passed < minutes * MINUTE; passed += SHOT_EVERY_MS) {
      await clock.advance(SHOT_EVERY_MS)
      for (const stream of streams) {
        const shot = world.shoot(stream, mode)
        shots.push(shot)
        if (one === null || random() < 1 / loses) continue
        await one.arrive(shot, body, lateMs)
        // A retry of the same body; without a time in it, it must be signed alike to be the same.
        if (random() < 1 / doubles) await one.arrive(shot, body, lateMs)
      }
    }
    await clock.advance(3_000)
    for (const end of ends) end()
    one ??= replica(world, { store })
  }
  await clock.advance(2 * HOUR + 2 * INTERVAL_MS)
  await eachIsThereOnce(one, shots, isCountedOnly)
  await one?.stop()
}

async function eachIsThereOnce(
  one: ReturnType<typeof replica> | null,
  shots: readonly ProvidersShot[],
  isCountedOnly: boolean,
): Promise<void> {
  const events = (await one?.events()) ?? []
  // A doubt is allowed where it is said; it is never a reason to double.
  const { gaps = [] } = one?.view() ?? {}
  const isInGap = ({ at }: ProvidersShot) =>
    gaps.some(({ from, until }) => at >= Date.parse(from) && at < Date.parse(until))
  expect(events.length).toBeLessThanOrEqual(shots.length)
  if (isCountedOnly) {
    expect(events.length).toBeGreaterThanOrEqual(shots.filter((shot) => !isInGap(shot)).length)
    return
  }
  for (const shot of shots) {
    const mine = events.filter((event) => isOf(event, shot))
    if (mine.length === 0 && isInGap(shot)) continue
    expect(mine, `${shot.object} at ${new Date(shot.at).toISOString()}`).toHaveLength(1)
  }
}

type Event = Awaited<ReturnType<ReturnType<typeof replica>['events']>>[number]

function isOf({ stream, object, capturedAt }: Event, shot: ProvidersShot): boolean {
  if (stream?.toLowerCase() !== shot.stream.toLowerCase()) return false
  if (object === shot.object) return true
  return capturedAt !== null && Math.abs(capturedAt - shot.at) <= SAME_SHOT_MS
}

function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
