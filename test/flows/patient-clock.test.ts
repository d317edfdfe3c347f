import { expect, test } from 'vitest'
import { patientTime } from '../../src/flows/patient-clock.ts'

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR

function setClock() {
  const state = { wall: 1_000_000, elapsed: 0.25 }
  const clock = {
    now: () => state.wall,
    elapsed: () => state.elapsed,
    sleep: () => Promise.resolve(),
  }
  const pass = (ms: number) => {
    state.wall += ms
    state.elapsed += ms
  }
  return { state, pass, time: patientTime(clock) }
}

test('is the wall clock, in whole milliseconds', () => {
  const { time, pass, state } = setClock()
  expect(time()).toBe(1_000_000)
  pass(1_500)
  expect(time()).toBe(1_001_500)
  state.elapsed += 0.4
  expect(Number.isInteger(time())).toBe(true)
})

test('follows a clock that is set by little, or back', () => {
  const { time, state } = setClock()
  state.wall += 30_000
  expect(time()).toBe(1_030_000)
  state.wall -= 500_000
  expect(time()).toBe(530_000)
})

test('does not follow a jump ahead before it has stood for an hour', () => {
  const { time, pass, state } = setClock()
  state.wall += YEAR
  expect(time()).toBe(1_000_000)
  pass(HOUR - 1)
  expect(time()).toBe(1_000_000 + HOUR - 1)
  state.wall -= YEAR
  expect(time()).toBe(1_000_000 + HOUR - 1)
  state.wall += YEAR
  expect(time()).toBe(1_000_000 + HOUR - 1)
  pass(HOUR)
  expect(time()).toBe(1_000_000 + YEAR + 2 * HOUR - 1)
})
