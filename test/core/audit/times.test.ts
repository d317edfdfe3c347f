import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clipRanges, isWithin, joinRanges, lengthOf } from '../../../src/core/audit/ranges.ts'
import {
  cutRange,
  fitLookBack,
  fitWindow,
  isBehind,
  MARGIN_MS,
  nextWindow,
} from '../../../src/core/audit/windows.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = 1_700_000_000_000

const ranges = fc.array(
  fc.record({ from: fc.integer({ min: 0, max: 60 }), until: fc.integer({ min: 0, max: 60 }) }),
)

describe('ranges', () => {
  test('joined, they hold the same moments, in order and apart', () => {
    fc.assert(
      fc.property(ranges, (given) => {
        const joined = joinRanges(given)
        for (let at = 0; at < 60; at += 1) {
          const isIn = given.some(({ from, until }) => from <= at && at < until)
          expect(isWithin(at, joined)).toBe(isIn)
        }
        for (const [n, { from, until }] of joined.entries()) {
          expect(from).toBeLessThan(until)
          expect(from).toBeGreaterThan(joined[n - 1]?.until ?? -1)
        }
        expect(lengthOf(given)).toBe(
          Array.from({ length: 60 }).filter((_, at) => isWithin(at, joined)).length,
        )
      }),
    )
  })

  test('those that are near become one', () => {
    const near = [
      { from: 10, until: 20 },
      { from: 0, until: 7 },
    ]
    expect(joinRanges(near, 3)).toEqual([{ from: 0, until: 20 }])
    expect(joinRanges(near, 2)).toHaveLength(2)
  })

  test('clipped, they stay inside', () => {
    expect(
      clipRanges(
        [
          { from: 0, until: 5 },
          { from: 8, until: 20 },
        ],
        { from: 3, until: 10 },
      ),
    ).toEqual([
      { from: 3, until: 5 },
      { from: 8, until: 10 },
    ])
  })
})

describe('windows', () => {
  test('an hour at most, and up to five minutes ago', () => {
    expect(nextWindow(NOW - 3 * HOUR, NOW, MARGIN_MS)).toEqual({
      from: NOW - 3 * HOUR,
      until: NOW - 2 * HOUR,
    })
    expect(nextWindow(NOW - HOUR / 4, NOW, MARGIN_MS)).toEqual({
      from: NOW - HOUR / 4,
      until: NOW - 5 * 60_000,
    })
    expect(nextWindow(NOW - MARGIN_MS, NOW, MARGIN_MS)).toBeNull()
    expect(nextWindow(NOW + HOUR, NOW, MARGIN_MS)).toBeNull()
  })

  test('what is older than a week is cut off, and named', () => {
    expect(cutRange(NOW - 10 * DAY, NOW)).toEqual({ from: NOW - 10 * DAY, until: NOW - 7 * DAY })
    expect(cutRange(NOW - 7 * DAY, NOW)).toBeNull()
    expect(nextWindow(NOW - 10 * DAY, NOW, MARGIN_MS)?.from).toBe(NOW - 7 * DAY)
  })

  test('shorter where there are many streams, and never shorter than a minute', () => {
    const hour = { from: NOW, until: NOW + HOUR }
    expect(fitWindow(hour, 0)).toEqual(hour)
    expect(fitWindow(hour, 100)).toEqual(hour)
    expect(fitWindow(hour, 2_000).until - NOW).toBe(250_000)
    expect(fitWindow(hour, 1_000_000).until - NOW).toBe(60_000)
  })

  test('the look back shrinks with them', () => {
    expect(fitLookBack(600_000, 0)).toBe(600_000)
    expect(fitLookBack(600_000, 2_000)).toBe(125_000)
    expect(fitLookBack(HOUR, 10)).toBe(HOUR)
  })

  test('behind is an hour late, margin and pause aside', () => {
    const pace = { marginMs: MARGIN_MS, intervalMs: HOUR / 4 }
    const due = NOW - HOUR - MARGIN_MS - HOUR / 4
    expect(isBehind(due, NOW, pace)).toBe(false)
    expect(isBehind(due - 1, NOW, pace)).toBe(true)
  })
})
