import { describe, expect, test } from 'vitest'
import {
  EMPTY_RING,
  type KeyId,
  type Ring,
  withConfirmedUrl,
  withCurrent,
  withMove,
} from '../../src/core/key-ring.ts'
import { createKeySearch, notifyKey, secretFrom } from '../../src/core/notify-key.ts'
import {
  explain,
  explainContest,
  isDrift,
  isLag,
  MAX_LAG_MS,
  mayStillShow,
  type Observed,
  plan,
  type Registration,
  registrationOf,
  type Situation,
  shows,
  strangeUrl,
  type UnseenWrite,
  type Write,
} from '../../src/core/registration.ts'

const NEW = secretFrom(new Uint8Array(32).fill(1))
const OLD = secretFrom(new Uint8Array(32).fill(2))
const DOMAIN = 'play.example.com'
const URL_ = `https://hook.example.com/callbacks/${DOMAIN}`
const FORMER = `https://former.example.com/callbacks/${DOMAIN}`
const ELSEWHERE = 'https://elsewhere.example.com/cb'
const FOREIGN = 'setByHandInConsole1'
const WEAK = 'aaaaaaaaaaaaaaaa'

const derived = (generation: number, secret = NEW): KeyId => ({
  kind: 'derived',
  secret: secret.fingerprint,
  generation,
})
const foreign: KeyId = { kind: 'foreign', key: FOREIGN }
const at = { now: 0, receiving: 0 }
const ringAt = (id: KeyId): Ring => withConfirmedUrl(withCurrent(EMPTY_RING, id, at), URL_)
const ABSENT: Observed = { kind: 'absent' }
const present = (over: Partial<Extract<Observed, { kind: 'present' }>> = {}): Observed => ({
  kind: 'present',
  url: URL_,
  auth: true,
  key: notifyKey(NEW, DOMAIN, 0),
  ...over,
})

function situation(over: Partial<Situation> = {}): Situation {
  const secrets = [NEW, OLD] as const
  return {
    domain: DOMAIN,
    url: URL_,
    formerUrls: [FORMER],
    takeover: false,
    secrets: [...secrets],
    search: createKeySearch(secrets),
    rotateFrom: null,
    ring: EMPTY_RING,
    observed: ABSENT,
    ...over,
  }
}

describe('plan', () => {
  test.each<[string, Partial<Situation>, object]>([
    ['nothing: create', {}, { kind: 'create', write: derived(0) }],
    [
      'nothing, after generation 3: create with it',
      { ring: ringAt(derived(3)) },
      { kind: 'create', write: derived(3) },
    ],
    [
      'nothing, after a generation of an older secret: the same one of the first',
      { ring: ringAt(derived(2, OLD)) },
      { kind: 'create', write: derived(2) },
    ],
    ['our URL and key: in sync', { observed: present() }, { kind: 'in_sync', shown: derived(0) }],
    [
      'our URL, another generation: in sync with it, and nothing is written',
      { ring: ringAt(derived(0)), observed: present({ key: notifyKey(NEW, DOMAIN, 4) }) },
      { kind: 'in_sync', shown: derived(4) },
    ],
    [
      'our URL spelled otherwise: in sync',
      { observed: present({ url: URL_.replace('hook', 'HOOK') }) },
      { kind: 'in_sync' },
    ],
    [
      'our URL, a key of an older secret: rotate to the first',
      { observed: present({ key: notifyKey(OLD, DOMAIN, 2) }) },
      { kind: 'rotate', shown: derived(2, OLD), write: derived(2) },
    ],
    [
      'our URL, a key of an older secret that was put back after the move: left, and said',
      {
        ring: withMove(ringAt(derived(2)), NEW.fingerprint, derived(2)),
        observed: present({ key: notifyKey(OLD, DOMAIN, 2) }),
      },
      { kind: 'in_sync', shown: derived(2, OLD), problem: 'not_of_first_secret' },
    ],
    [
      'the same, and asked to rotate: rotate to the first',
      {
        ring: withMove(ringAt(derived(2)), NEW.fingerprint, derived(2)),
        observed: present({ key: notifyKey(OLD, DOMAIN, 2) }),
        rotateFrom: 'any',
      },
      { kind: 'rotate', reason: 'older_secret', write: derived(2) },
    ],
    [
      'our URL, a generation beyond the search, near the one that is known: in sync',
      { ring: ringAt(derived(600)), observed: present({ key: notifyKey(NEW, DOMAIN, 610) }) },
      { kind: 'in_sync', shown: derived(610) },
    ],
    [
      'our URL, a foreign key: adopt',
      { observed: present({ key: FOREIGN }) },
      { kind: 'adopt', shown: foreign },
    ],
    [
      'our URL, the foreign key that is current already: in sync',
      { ring: ringAt(foreign), observed: present({ key: FOREIGN }) },
      { kind: 'in_sync', shown: foreign },
    ],
    [
      'our URL, the key masked, never confirmed: repair once',
      { observed: present({ key: 'abc*************' }) },
      { kind: 'repair', reason: 'never_confirmed', shown: null, write: derived(0) },
    ],
    [
      'our URL, no key shown, confirmed before: in sync, not visible',
      { ring: ringAt(derived(1)), observed: present({ key: null }) },
      { kind: 'in_sync', shown: null, problem: null },
    ],
    [
      'our URL, no key shown, and the one that was confirmed is of a lost secret: repair',
      {
        ring: ringAt(derived(1, secretFrom(new Uint8Array(32).fill(9)))),
        observed: present({ key: null }),
      },
      { kind: 'repair', reason: 'never_confirmed', write: derived(1) },
    ],
    [
      'our URL, no key shown, confirmed, but no key was ever seen: repair',
      { ring: withConfirmedUrl(EMPTY_RING, URL_), observed: present({ key: null }) },
      { kind: 'repair', reason: 'never_confirmed', write: derived(0) },
    ],
    [
      'our URL, a weak key: never adopted',
      { ring: ringAt(derived(1)), observed: present({ key: WEAK }) },
      { kind: 'in_sync', shown: null, problem: 'too_simple' },
    ],
    [
      'our URL, authentication off: on, with the key that is there',
      { observed: present({ auth: false, key: FOREIGN }) },
      { kind: 'repair', reason: 'auth_off', shown: foreign, write: foreign },
    ],
    [
      'our URL, authentication off, no key: on, with ours',
      { ring: ringAt(derived(2)), observed: present({ auth: false, key: null }) },
      { kind: 'repair', reason: 'auth_off', shown: null, write: derived(2) },
    ],
    [
      'a former URL: the new one, with the key that is there',
      { observed: present({ url: FORMER, key: notifyKey(NEW, DOMAIN, 3) }) },
      {
        kind: 'repair',
        reason: 'former_url',
        shown: derived(3),
        write: derived(3),
        foundUrl: FORMER,
      },
    ],
    [
      'our URL with another scheme: a former one',
      { observed: present({ url: URL_.replace('https', 'http'), key: null }) },
      { kind: 'repair', reason: 'former_url', write: derived(0) },
    ],
    [
      'another URL: conflict',
      { observed: present({ url: ELSEWHERE }) },
      { kind: 'conflict', foundUrl: ELSEWHERE },
    ],
    [
      'another URL, takeover: replace, and the key found there joins',
      { takeover: true, observed: present({ url: ELSEWHERE, key: FOREIGN, auth: false }) },
      { kind: 'replace', write: derived(0), foundUrl: ELSEWHERE, joins: foreign },
    ],
    [
      'another URL, takeover, its key not usable: replace',
      { takeover: true, observed: present({ url: ELSEWHERE, key: WEAK }) },
      { kind: 'replace', joins: null },
    ],
    [
      'our URL and key, asked to rotate: the next generation',
      { rotateFrom: 'any', observed: present({ key: notifyKey(NEW, DOMAIN, 4) }) },
      { kind: 'rotate', shown: derived(4), write: derived(5) },
    ],
    [
      'the key that this store knows, of age: the next generation',
      { rotateFrom: derived(0), ring: ringAt(derived(0)), observed: present() },
      { kind: 'rotate', shown: derived(0), write: derived(1) },
    ],
    [
      'another key than the one of age: somebody else was first',
      {
        rotateFrom: derived(0),
        ring: ringAt(derived(0)),
        observed: present({ key: notifyKey(NEW, DOMAIN, 1) }),
      },
      { kind: 'in_sync', shown: derived(1) },
    ],
    [
      'an older secret, asked to rotate: to the first secret, which is one',
      { rotateFrom: 'any', observed: present({ key: notifyKey(OLD, DOMAIN, 2) }) },
      { kind: 'rotate', shown: derived(2, OLD), write: derived(2) },
    ],
    [
      'a foreign key, asked to rotate: the generation after the highest that was seen',
      { rotateFrom: 'any', ring: ringAt(derived(3)), observed: present({ key: FOREIGN }) },
      { kind: 'rotate', shown: foreign, write: derived(4) },
    ],
    [
      'a foreign key, asked to rotate, where none of ours was seen: generation 0',
      { rotateFrom: 'any', observed: present({ key: FOREIGN }) },
      { kind: 'rotate', shown: foreign, write: derived(0) },
    ],
    [
      'a key that is not visible, of age: after the one that the ring knows',
      { rotateFrom: derived(1), ring: ringAt(derived(1)), observed: present({ key: null }) },
      { kind: 'rotate', shown: null, write: derived(2) },
    ],
    [
      'a key that is not visible, of an older secret as far as the ring knows: to the first',
      { ring: ringAt(derived(1, OLD)), observed: present({ key: null }) },
      { kind: 'rotate', reason: 'older_secret', shown: null, write: derived(1) },
    ],
    [
      'the same where the move was made before: left alone, and said',
      {
        ring: { ...ringAt(derived(1, OLD)), movedTo: NEW.fingerprint },
        observed: present({ key: null }),
      },
      { kind: 'in_sync', shown: null, problem: 'not_of_first_secret' },
    ],
    [
      'a key that is shown, and too simple, is not of an older secret',
      { ring: ringAt(derived(1, OLD)), observed: present({ key: WEAK }) },
      { kind: 'in_sync', shown: null, problem: 'too_simple' },
    ],
    [
      'asked to rotate, but never confirmed and not visible: repair',
      { rotateFrom: 'any', observed: present({ key: null }) },
      { kind: 'repair', reason: 'never_confirmed' },
    ],
    [
      'asked to rotate, but at another URL: conflict',
      { rotateFrom: 'any', observed: present({ url: ELSEWHERE }) },
      { kind: 'conflict' },
    ],
    [
      'anything after deregister: released',
      { ring: { ...ringAt(derived(0)), released: true }, observed: ABSENT },
      { kind: 'released' },
    ],
  ])('%s', (_, over, step) => {
    const planned = plan(situation(over))
    expect(planned).toMatchObject(step)
    expect(explain(planned)).toMatch(/\S/)
    expect(explain(planned)).not.toContain(FOREIGN)
  })
})

describe('drift', () => {
  const confirmed = { ring: ringAt(derived(0)) }
  test.each<[string, Partial<Situation>, boolean]>([
    ['a registration that is gone', confirmed, true],
    ['one that was never there', {}, false],
    ['authentication switched off', { ...confirmed, observed: present({ auth: false }) }, true],
    ['a former URL again', { ...confirmed, observed: present({ url: FORMER }) }, true],
    [
      'another URL, with takeover',
      { ...confirmed, takeover: true, observed: present({ url: ELSEWHERE }) },
      true,
    ],
    ['another URL, without', { ...confirmed, observed: present({ url: ELSEWHERE }) }, false],
    ['another key', { ...confirmed, observed: present({ key: FOREIGN }) }, false],
    ['a rotation', { ...confirmed, rotateFrom: 'any', observed: present() }, false],
    ['a key that is not visible', { observed: present({ key: null }) }, false],
  ])('%s: %s', (_, over, expected) => {
    const here = situation(over)
    expect(isDrift(plan(here), here)).toBe(expected)
  })
})

describe('a write', () => {
  test('sends all four parameters, with the key in full', () => {
    const here = situation()
    expect(registrationOf(plan(here) as Write, here)).toEqual({
      url: URL_,
      auth: 'yes',
      key: notifyKey(NEW, DOMAIN, 0),
    })
    const off = situation({ observed: present({ auth: false, key: FOREIGN }) })
    expect(registrationOf(plan(off) as Write, off).key).toBe(FOREIGN)
  })

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

describe('a contest says what was found', () => {
  test.each<[string, Observed, string]>([
    ['another URL', present({ url: ELSEWHERE }), `callbacks go to ${ELSEWHERE}`],
    ['authentication off', present({ auth: false }), 'authentication is switched off'],
    ['nothing', ABSENT, 'nothing is registered'],
  ])('%s', (_, observed, said) => {
    const given = situation({ observed, takeover: true })
    expect(explainContest(plan(given) as Write, given)).toContain(`(${said})`)
  })
})

describe('the URL that was found', () => {
  test.each<[string, Observed, string | null]>([
    ['elsewhere', present({ url: `${ELSEWHERE}?token=x` }), ELSEWHERE],
    ['a former one of ours', present({ url: FORMER }), FORMER],
    ['ours, without authentication', present({ auth: false }), null],
    ['ours', present(), null],
    ['none', ABSENT, null],
  ])('%s', (_, observed, shown) => {
    const given = situation({ observed, takeover: true })
    expect(strangeUrl(plan(given), given)).toBe(shown)
  })
})
