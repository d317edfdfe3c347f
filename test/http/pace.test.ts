// What reading pauses for, with an event loop that is as busy as the test says.
import { expect, test } from 'vitest'
import { createPace, createTurns } from '../../src/http/pace.ts'
import { until } from '../support/until.ts'

const never = new AbortController().signal

/** A pace beside a loop that is busy for the share of each sleep that `useAt` says. */
function paceBeside(useAt: (elapsedMs: number) => number) {
  const slept: number[] = []
  let elapsed = 0
  let active = 0
  function pass(ms: number): void {
    active += ms * useAt(elapsed)
    elapsed += ms
  }
  const clock = {
    now: Date.now,
    elapsed: () => elapsed,
    async sleep(ms: number) {
      slept.push(ms)
      pass(ms)
    },
  }
  const pace = createPace(clock, () => ({ active, idle: elapsed - active, utilization: 0 }))
  // So that it has seen something.
  pass(1_000)
  return {
    ...{ pace, clock, slept, pass },
    pausedFor: async (tookMs: number, leastMs = 0) => {
      slept.length = 0
      await pace.pause(tookMs, leastMs, never)
      return Math.round(slept.reduce((sum, ms) => sum + ms, 0))
    },
  }
}

test.each([
  ['at leisure', 0.1, 10, 0, 0],
  ['at leisure, with a least pause', 0.1, 10, 100, 100],
  ['half busy', 0.55, 10, 0, 30],
  ['half busy, after next to nothing', 0.55, 1, 100, 100],
  ['full', 0.9, 10, 0, 390],
  ['full, with a least pause', 0.9, 10, 100, 390],
  ['full, after much', 0.9, 500, 0, 3_000],
])('beside a loop that is %s (%d) %d ms of work are paid for', async (_, use, took, least, ms) => {
  const { pausedFor } = paceBeside(() => use)
  await pausedFor(1)
  expect(await pausedFor(took, least)).toBe(ms)
})

test('a pause ends soon after the flood that it was made for', async () => {
  const { pausedFor } = paceBeside((elapsed) => (elapsed < 2_000 ? 0.95 : 0.05))
  await pausedFor(1)
  // It would be 3,000, and the flood is over after some 900 of them.
  const paused = await pausedFor(500)
  expect(paused).toBeGreaterThan(900)
  expect(paused).toBeLessThan(1_200)
})

test('a moment without callbacks, as each commit has one, is not taken for leisure', async () => {
  const { pausedFor } = paceBeside((elapsed) => (elapsed % 50 < 40 ? 1 : 0.1))
  await pausedFor(1)
  expect(await pausedFor(20)).toBe(780)
})

test('a pause ends with all else', async () => {
  const { pace, slept } = paceBeside(() => 1)
  await pace.pause(1_000, 20, AbortSignal.abort())
  expect(slept).toEqual([20])
})

test('works are done in turn, and one that fails holds nobody up', async () => {
  const { pace, clock, slept, pass } = paceBeside(() => 1)
  await pace.pause(1, 0, never)
  slept.length = 0
  const inTurn = createTurns(pace, clock, never)
  const done: string[] = []
  const first = Promise.withResolvers<void>()
  const work = (name: string, before: Promise<void> = Promise.resolve()) =>
    inTurn(async () => {
      done.push(`${name} begins`)
      await before
      pass(10)
      done.push(`${name} ends`)
      return name
    })
  const failing = inTurn(async () => Promise.reject(new Error('the store fails')))
  const answers = [work('first', first.promise), work('second')]
  await expect(failing).rejects.toThrow('the store fails')
  await until('the first to begin', () => done.length === 1)
  first.resolve()
  expect(await answers[0]).toBe('first')
  expect(done).toEqual(['first begins', 'first ends'])
  expect(await answers[1]).toBe('second')
  expect(Math.round(slept.reduce((sum, ms) => sum + ms, 0))).toBeGreaterThanOrEqual(390)
})
