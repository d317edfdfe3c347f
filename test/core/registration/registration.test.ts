import { describe, expect, test } from 'vitest'
import { EMPTY_RING, withConfirmedUrl, withMove } from '../../../src/core/keys/key-ring.ts'
import { notifyKey, secretFrom } from '../../../src/core/keys/notify-key.ts'
import {
  formerNotifyUrls,
  isDrift,
  plan,
  registrationOf,
  type Situation,
  type Write,
} from '../../../src/core/registration/registration.ts'
import { explain } from '../../../src/core/registration/step-texts.ts'
import {
  ABSENT,
  DOMAIN,
  derived,
  ELSEWHERE,
  FOREIGN,
  FORMER,
  foreign,
  NEW,
  OLD,
  present,
  ringAt,
  situation,
  URL_,
  WEAK,
} from './situations.ts'

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
      'another URL, takeover, with a later key of ours: replace, with that generation',
      { takeover: true, observed: present({ url: ELSEWHERE, key: notifyKey(OLD, DOMAIN, 5) }) },
      { kind: 'replace', write: derived(5), joins: derived(5, OLD) },
    ],
    [
      'the same, where the generation in force is known: replace, with that one',
      {
        takeover: true,
        ring: ringAt(derived(2)),
        observed: present({ url: ELSEWHERE, key: notifyKey(NEW, DOMAIN, 5) }),
      },
      { kind: 'replace', write: derived(2), joins: derived(5) },
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
})

test('former URLs are those of the settings, then what was registered, now and before', () => {
  const ring = { ...ringAt(derived(0)), formerUrls: [FORMER] }
  const former = formerNotifyUrls(ring, ['https://older.example.com/x'], DOMAIN)
  expect(former).toEqual([`https://older.example.com/x/callbacks/${DOMAIN}`, URL_, FORMER])
  expect(formerNotifyUrls(EMPTY_RING, [], DOMAIN)).toEqual([])
})
