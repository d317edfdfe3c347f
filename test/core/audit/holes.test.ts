import { describe, expect, test } from 'vitest'
import { intervalOf, isWhole, momentsOf } from '../../../src/core/audit/holes.ts'

const every = (ms: number, from: number, until: number) =>
  Array.from({ length: Math.ceil((until - from) / ms) }, (_, n) => from + n * ms)
const look = { from: 0, until: 60_000 }
const WINDOW = { expected: [look], look }

test('two callbacks of one shot are one moment, in whatever order', () => {
  expect(momentsOf([5_000, 0, 900, 5_100])).toEqual([0, 5_000])
})

test('the interval is the usual pause, and unknown for fewer than three moments', () => {
  expect(intervalOf([0, 5_000, 10_000, 30_000, 35_000])).toBe(5_000)
  expect(intervalOf([0, 5_000])).toBeNull()
})

describe('whole', () => {
  test('without a pause longer than one and a half intervals', () => {
    expect(isWhole(every(5_000, 2_000, 60_000), WINDOW, null)).toBe(true)
    const jittered = every(5_000, 2_000, 60_000).map((at, n) => at + (n % 2) * 2_400)
    expect(isWhole(jittered, WINDOW, 5_000)).toBe(true)
  })

  test.each([
    ['in the middle', every(5_000, 2_000, 60_000).filter((at) => at !== 32_000)],
    ['at the beginning', every(5_000, 8_000, 60_000)],
    ['at the end', every(5_000, 2_000, 48_000)],
    ['everywhere', []],
  ])('not with a hole %s', (_, moments) => {
    expect(isWhole(moments, WINDOW, 5_000)).toBe(false)
  })

  test('not where too little came to show an interval', () => {
    expect(isWhole([0, 5_000], { expected: [{ from: 0, until: 6_000 }], look }, null)).toBe(false)
  })

  test('not where a list has shown a shorter interval: every second one may be lost', () => {
    const half = every(10_000, 0, 60_000)
    expect(isWhole(half, WINDOW, null)).toBe(true)
    expect(isWhole(half, WINDOW, 5_000)).toBe(false)
  })

  test('up to the ends of the push, not of the window', () => {
    const moments = every(5_000, 22_000, 41_000)
    expect(isWhole(moments, { expected: [{ from: 20_000, until: 41_000 }], look }, null)).toBe(true)
    expect(isWhole(moments, WINDOW, null)).toBe(false)
  })

  test('with a pause between two pushes', () => {
    const moments = [...every(5_000, 1_000, 20_000), ...every(5_000, 41_000, 60_000)]
    const pushes = [
      { from: 0, until: 20_000 },
      { from: 40_000, until: 60_000 },
    ]
    expect(isWhole(moments, { expected: pushes, look }, null)).toBe(true)
    expect(isWhole(moments, WINDOW, null)).toBe(false)
  })

  test('not where a push ends an interval after the last one, or begins one before the first', () => {
    const moments = every(5_000, 22_000, 41_000)
    const pushed = (from: number, until: number) => ({ expected: [{ from, until }], look })
    expect(isWhole(moments, pushed(17_000, 41_000), 5_000)).toBe(true)
    expect(isWhole(moments, pushed(16_000, 41_000), 5_000)).toBe(false)
    expect(isWhole(moments, pushed(20_000, 43_000), 5_000)).toBe(false)
  })
})
