import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backOffMs } from '../../src/core/back-off.ts'
import { parseDuration, showDuration } from '../../src/core/duration.ts'

describe('parseDuration', () => {
  test.each([
    ['1s', 1_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['90d', 7_776_000_000],
    ['3650d', 315_360_000_000],
    ['0.5s', undefined],
    ['0s', undefined],
    ['4000d', undefined],
    ['5', undefined],
    ['5 m', undefined],
    ['-5m', undefined],
    ['5ms', undefined],
    ['m', undefined],
    ['', undefined],
  ])('"%s"', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })
})

test.each([
  [0, '0s'],
  [999, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [86_399_999, '23h'],
  [3 * 86_400_000, '3d'],
  [-1, '0s'],
])('%d ms is shown as %s', (ms, shown) => {
  expect(showDuration(ms)).toBe(shown)
})

describe('backOffMs', () => {
  const backOff = { firstMs: 250, maxMs: 5_000 }

  test('doubles from the first wait up to the longest', () => {
    const waits = [1, 2, 3, 4, 5, 6, 100].map((failures) => backOffMs(backOff, failures, 1))
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
  })

  test('is at least half of the full wait, and never more than it', () => {
    const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), random, (failures, jitter) => {
        const wait = backOffMs(backOff, failures, jitter)
        expect(wait).toBeGreaterThanOrEqual(125)
        expect(wait).toBeLessThanOrEqual(5_000)
      }),
    )
  })
})
