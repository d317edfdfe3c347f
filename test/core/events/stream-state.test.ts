import { describe, expect, test } from 'vitest'
import { intervalOf, streamState, withGap } from '../../../src/core/events/stream-state.ts'

describe('the state of a stream', () => {
  test.each<[string, number, number | null, string]>([
    ['just seen', 0, 5_000, 'live'],
    ['3 intervals, but not 30 s', 29_999, 5_000, 'live'],
    ['30 s', 30_000, 5_000, 'late'],
    ['2 intervals of a minute', 120_000, 60_000, 'live'],
    ['3 intervals of a minute', 180_000, 60_000, 'late'],
    ['10 intervals, but not 5 min', 299_999, 5_000, 'late'],
    ['5 min', 300_000, 5_000, 'silent'],
    ['9 intervals of an hour', 9 * 3_600_000, 3_600_000, 'late'],
    ['10 intervals of an hour', 10 * 3_600_000, 3_600_000, 'silent'],
    ['an unknown interval', 299_999, null, 'live'],
    ['an unknown interval, 5 min', 300_000, null, 'silent'],
  ])('%s', (_, ageMs, intervalMs, state) => {
    expect(streamState(ageMs, intervalMs)).toBe(state)
  })
})

describe('the interval', () => {
  const after = (...gaps: number[]) => intervalOf(gaps.reduce<readonly number[]>(withGap, []))

  test.each<[string, number[], number | null]>([
    ['none yet', [], null],
    ['one gap, which may be a pause', [5_000], null],
    ['two gaps', [5_000, 5_002], 5_000],
    ['a lost shot', [5_000, 10_000, 5_000], 5_000],
    ['a pause', [5_000, 5_000, 3_600_000, 5_000], 5_000],
    ['two callbacks a shot', [0, 5_000, 0, 5_000, 12], 5_000],
    [
      'another template, after a while',
      [...Array(8).fill(5_000), ...Array(5).fill(60_000)],
      60_000,
    ],
  ])('%s', (_, gaps, expected) => {
    expect(after(...gaps)).toBe(expected)
  })
})
