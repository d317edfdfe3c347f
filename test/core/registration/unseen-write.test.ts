import { describe, expect, test } from 'vitest'
import { notifyKey } from '../../../src/core/keys/notify-key.ts'
import type { Observed } from '../../../src/core/registration/observation.ts'
import { plan, type Registration, type Write } from '../../../src/core/registration/registration.ts'
import {
  isLag,
  MAX_LAG_MS,
  mayStillShow,
  shows,
  type UnseenWrite,
} from '../../../src/core/registration/unseen-write.ts'
import {
  ABSENT,
  DOMAIN,
  ELSEWHERE,
  FOREIGN,
  FORMER,
  NEW,
  present,
  situation,
  URL_,
  WEAK,
} from './situations.ts'

describe('a write', () => {
  const registration: Registration = { url: URL_, auth: 'yes', key: notifyKey(NEW, DOMAIN, 0) }

  test.each<[string, Observed, boolean]>([
    ['itself', present(), true],
    ['itself with the key masked', present({ key: '****' }), true],
    ['itself without the key', present({ key: null }), true],
    ['another key', present({ key: FOREIGN }), false],
    ['authentication off', present({ auth: false }), false],
    ['another key, however simple', present({ key: WEAK }), false],
    ['another URL', present({ url: ELSEWHERE }), false],
    ['nothing', ABSENT, false],
  ])('is shown by %s: %s', (_, observed, expected) => {
    expect(shows(observed, registration)).toBe(expected)
  })

  const MINUTE = 60_000
  const write = (before: Observed): UnseenWrite => ({
    step: plan(situation()) as Write,
    registration,
    before,
    at: 0,
  })

  test.each<[string, Observed, Observed, number, boolean]>([
    ['what was there before', ABSENT, ABSENT, 4 * MINUTE, true],
    ['what was there before, after five minutes', ABSENT, ABSENT, 5 * MINUTE, false],
    ['the former URL still', present({ url: FORMER }), present({ url: FORMER }), 0, true],
    ['something new', ABSENT, present({ url: ELSEWHERE }), 0, false],
    ['nothing any more', present({ url: FORMER }), ABSENT, 0, false],
    [
      'another key than before',
      present({ auth: false }),
      present({ auth: false, key: null }),
      0,
      false,
    ],
    [
      'authentication as it was not before',
      present({ key: null }),
      present({ key: null, auth: false }),
      0,
      false,
    ],
  ])('lags where %s is seen', (_, before, observed, now, expected) => {
    expect(isLag(observed, write(before), now)).toBe(expected)
  })

  test.each<[number | null, number, boolean]>([
    [null, 0, false],
    [0, 0, true],
    [0, MAX_LAG_MS - 1, true],
    [0, MAX_LAG_MS, false],
    [MAX_LAG_MS, 0, false],
  ])('that began at %s may still show at %s: %s', (since, now, expected) => {
    expect(mayStillShow(since, now)).toBe(expected)
  })
})
