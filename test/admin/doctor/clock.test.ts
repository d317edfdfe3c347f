import { expect, test } from 'vitest'
import { checkClock } from '../../../src/admin/doctor/clock.ts'

const NOW = Date.parse('2026-01-02T03:04:05Z')
const MINUTE = 60_000

test.each([
  ['in step', 0, 300, 'ok', /in step/],
  ['off by less than a date can tell', 4_999, 300, 'ok', /in step/],
  ['ahead by a minute', MINUTE, 300, 'warning', /1m ahead of/],
  ['behind by a minute', -MINUTE, 300, 'warning', /1m behind/],
  ['beyond the skew of callbacks', 6 * MINUTE, 300, 'problem', /6m ahead.*refused/],
  ['within a wide skew', 6 * MINUTE, 600, 'warning', /6m ahead/],
  ['beyond what the API takes', -16 * MINUTE, undefined, 'problem', /16m behind.*refused/],
])('%s', (_, offMs, clockSkewSeconds, result, detail) => {
  const providerTime = NOW - offMs
  const found = checkClock({ endpoint: 'https://api', providerTime, now: NOW, clockSkewSeconds })
  expect(found).toMatchObject({ check: 'clock', result })
  expect(found.detail).toMatch(detail)
  expect(found.next === null).toBe(result === 'ok')
})

test('no date: not checked', () => {
  const found = checkClock({
    endpoint: 'https://api',
    providerTime: null,
    now: NOW,
    clockSkewSeconds: 300,
  })
  expect(found).toMatchObject({ result: 'not_checked', next: expect.stringContaining('ENDPOINT') })
})
