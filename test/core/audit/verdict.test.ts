import { describe, expect, test } from 'vitest'
import { chanceOfHalves, judge } from '../../../src/core/audit/verdict.ts'

const MINUTE = 60_000

test('the chance of few heads is that of the binomial', () => {
  expect(chanceOfHalves(4, 0)).toBeCloseTo(1 / 16)
  expect(chanceOfHalves(4, 1)).toBeCloseTo(5 / 16)
  expect(chanceOfHalves(10, 5)).toBeCloseTo(0.623, 3)
  expect(chanceOfHalves(5_000, 100)).toBeLessThan(1e-100)
  expect(chanceOfHalves(3, 3)).toBeCloseTo(1)
})

describe('the judgement', () => {
  test('nothing missing is nothing to doubt, however little was seen', () => {
    expect(judge({ listed: 0, missing: 0, judgedMs: 0 })).toBe('fill')
  })

  test.each([
    [100, 1],
    [100, 25],
    [20, 1],
    [24, 2],
  ])('of %i listed %i are missing: filled', (listed, missing) => {
    expect(judge({ listed, missing, judgedMs: MINUTE })).toBe('fill')
  })

  test.each([
    [100, 26],
    [100, 50],
    [20, 20],
  ])('of %i listed %i are missing: doubtful', (listed, missing) => {
    expect(judge({ listed, missing, judgedMs: MINUTE })).toBe('doubtful')
  })

  test('a handful waits for more, whichever way it points', () => {
    expect(judge({ listed: 4, missing: 1, judgedMs: MINUTE })).toBe('wait')
    expect(judge({ listed: 4, missing: 2, judgedMs: MINUTE })).toBe('wait')
    expect(judge({ listed: 40, missing: 10, judgedMs: MINUTE })).toBe('wait')
  })

  test('but not for ever', () => {
    expect(judge({ listed: 4, missing: 2, judgedMs: 10 * MINUTE })).toBe('doubtful')
    expect(judge({ listed: 4, missing: 1, judgedMs: 59 * MINUTE })).toBe('wait')
    expect(judge({ listed: 4, missing: 1, judgedMs: 60 * MINUTE })).toBe('fill')
  })
})
