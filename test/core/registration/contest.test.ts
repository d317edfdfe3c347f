import { describe, expect, test } from 'vitest'
import {
  afterDrift,
  afterOurs,
  afterWrite,
  CONTEST_WINDOW_MS as HOUR,
  isHeld,
  NO_CONTEST,
} from '../../../src/core/registration/contest.ts'

const drifts = (...at: number[]) => at.reduce(afterDrift, NO_CONTEST)

describe('a contest', () => {
  test('begins with the third observation within an hour', () => {
    expect(isHeld(drifts(0, 1), 1)).toBe(false)
    expect(isHeld(drifts(0, 1, HOUR - 1), HOUR - 1)).toBe(true)
    expect(isHeld(drifts(0, 1, HOUR), HOUR)).toBe(false)
  })

  test('allows one write an hour', () => {
    const contest = drifts(0, 1, 2)
    expect(isHeld(contest, HOUR + 1)).toBe(true)
    expect(isHeld(contest, HOUR + 2)).toBe(false)
    const written = afterWrite(contest, HOUR + 2)
    expect(isHeld(written, 2 * HOUR)).toBe(true)
    expect(afterDrift(written, 2 * HOUR)).toBe(written)
    expect(isHeld(afterDrift(written, 2 * HOUR + 2), 2 * HOUR + 2)).toBe(false)
  })

  test('that a clock which was put back left in the future holds nobody', () => {
    expect(isHeld(drifts(2 * HOUR, 2 * HOUR, 2 * HOUR), 0)).toBe(false)
    expect(isHeld(afterDrift(drifts(2 * HOUR, 2 * HOUR), 0), 0)).toBe(false)
  })

  test('is over when ours has stood for an hour', () => {
    const contest = afterWrite(drifts(0, 1, 2), HOUR + 2)
    expect(afterOurs(contest, HOUR + 3)).toBe(contest)
    expect(afterOurs(contest, 2 * HOUR + 2)).toEqual(NO_CONTEST)
  })

  test('is none where nothing was contested', () => {
    const one = drifts(0)
    expect(afterOurs(one, 1)).toBe(one)
    expect(afterWrite(one, 1)).toBe(one)
  })
})
