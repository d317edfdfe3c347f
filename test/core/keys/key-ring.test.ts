import { describe, expect, test } from 'vitest'
import { acceptedKeys, keysBeyond } from '../../../src/core/keys/accepted-keys.ts'
import {
  EMPTY_RING,
  isTooOld,
  type KeyId,
  keyText,
  MAX_KEYS,
  type Moment,
  type Ring,
  ringGeneration,
  sameKey,
  shownGeneration,
  withConfirmedUrl,
  withCurrent,
  withMove,
  withNothingUnseen,
  withoutRetired,
  withProven,
  withReleased,
  withReleaseTakenBack,
  withUse,
  withWriteBegun,
} from '../../../src/core/keys/key-ring.ts'
import { notifyKey, secretFrom } from '../../../src/core/keys/notify-key.ts'

const NEW = secretFrom(new Uint8Array(32).fill(1))
const OLD = secretFrom(new Uint8Array(32).fill(2))
const DOMAIN = 'play.example.com'
const derived = (generation: number, secret = NEW): KeyId => ({
  kind: 'derived',
  secret: secret.fingerprint,
  generation,
})
const foreign = (n: number): KeyId => ({ kind: 'foreign', key: `foreignKey${n}`.padEnd(16, 'x') })
const at = (receiving: number): Moment => ({ now: receiving * 1_000, receiving })
const accepted = (ring: Ring, secrets = [NEW]) => acceptedKeys(ring, secrets, DOMAIN)
const shown = (ring: Ring, secrets = [NEW]) =>
  accepted(ring, secrets).map(({ id, role }) => [
    id.kind === 'derived'
      ? `${id.secret === NEW.fingerprint ? 'new' : 'old'} ${id.generation}`
      : id.key,
    role,
  ])

describe('acceptedKeys', () => {
  test('before any key was seen: the first generations of every secret', () => {
    expect(shown(EMPTY_RING, [NEW, OLD])).toEqual([
      ['new 0', 'next'],
      ['new 1', 'next'],
      ['new 2', 'next'],
      ['new 3', 'next'],
      ['old 0', 'next'],
      ['old 1', 'next'],
      ['old 2', 'next'],
      ['old 3', 'next'],
    ])
  })

  test('two generations back and one ahead of the one in force', () => {
    expect(shown(withCurrent(EMPTY_RING, derived(5), at(0)))).toEqual([
      ['new 5', 'current'],
      ['new 3', 'previous'],
      ['new 4', 'previous'],
      ['new 6', 'next'],
    ])
  })

  test('under an older secret, the same generations of the first: the next one to be pushed', () => {
    const ring = withCurrent(EMPTY_RING, derived(0, OLD), at(0))
    expect(shown(ring, [NEW, OLD])).toEqual([
      ['old 0', 'current'],
      ['new 0', 'next'],
      ['new 1', 'next'],
      ['old 1', 'next'],
    ])
  })

  test('a secret that was superseded is still verified against', () => {
    const ring = withCurrent(EMPTY_RING, derived(0), at(0))
    expect(shown(ring, [NEW, OLD])).toContainEqual(['old 0', 'previous'])
  })

  test('a foreign key in force, and the generations around the highest that was seen', () => {
    const ring = withCurrent(withCurrent(EMPTY_RING, derived(4), at(0)), foreign(1), at(1))
    expect(shown(ring)).toEqual([
      ['foreignKey1xxxxx', 'foreign'],
      ['new 2', 'previous'],
      ['new 3', 'previous'],
      ['new 4', 'previous'],
      ['new 5', 'next'],
    ])
  })

  test('keys that were seen stay, however old, and keys of a lost secret go', () => {
    const used = withUse(withUse(EMPTY_RING, derived(1), at(1)), derived(2, OLD), at(2))
    const ring = withCurrent(used, derived(9), at(3))
    expect(shown(ring)).toContainEqual(['new 1', 'previous'])
    expect(
      accepted(ring).every(({ id }) => id.kind === 'foreign' || id.secret === NEW.fingerprint),
    ).toBe(true)
    expect(keyText(derived(2, OLD), [NEW], DOMAIN)).toBeUndefined()
  })

  test('never more than 16: the longest unused goes first', () => {
    let ring = withCurrent(EMPTY_RING, derived(0), at(0))
    for (let n = 0; n < MAX_KEYS + 4; n++) ring = withUse(ring, foreign(n), at(n))
    const names = shown(ring).map(([name]) => name)
    expect(names).toHaveLength(MAX_KEYS)
    expect(names).toContain('new 0')
    expect(names).toContain('new 1')
    expect(names).toContain('foreignKey19xxxx')
    expect(names).not.toContain('foreignKey0xxxxx')
    expect(ring.keys).toHaveLength(MAX_KEYS)
    expect(ring.keys.some(({ id }) => sameKey(id, derived(0)))).toBe(true)
  })

  test('gives the text that the provider holds', () => {
    const [first] = accepted(withCurrent(EMPTY_RING, derived(3), at(0)))
    expect(first?.key).toBe(notifyKey(NEW, DOMAIN, 3))
  })
})

describe('keysBeyond', () => {
  const beyond = (ring: Ring) =>
    keysBeyond(ring, [NEW, OLD], DOMAIN).map(({ id }) => (id.kind === 'derived' ? id : null))

  test('goes on where those that are accepted end, for each secret', () => {
    const ring = withCurrent(EMPTY_RING, derived(3), at(0))
    expect(beyond(ring).map((id) => id?.generation)).toEqual([
      5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
      15, 16, 17, 18, 19, 20,
    ])
    const [key] = keysBeyond(ring, [OLD], DOMAIN)
    expect(key).toEqual({ key: notifyKey(OLD, DOMAIN, 5), id: derived(5, OLD), role: 'next' })
    expect(beyond(EMPTY_RING)[0]).toEqual(derived(4))
  })
})

describe('a callback proves', () => {
  const ring = withCurrent(EMPTY_RING, derived(2), at(0))

  test.each<[string, KeyId[], KeyId]>([
    ['a later generation', [derived(3), derived(4), derived(3)], derived(4)],
    ['a later generation of another secret', [derived(3, OLD)], derived(3, OLD)],
    ['nothing by an earlier one, or the same', [derived(1), derived(2, OLD)], derived(2)],
    ['nothing by a foreign key', [foreign(1)], derived(2)],
  ])('%s', (_, ids, current) => {
    expect(withProven(ring, ids, at(1)).current).toEqual(current)
  })

  test('nothing while a foreign key is in force', () => {
    const held = withCurrent(ring, foreign(1), at(1))
    expect(withProven(held, [derived(5)], at(2))).toBe(held)
  })
})

describe('the ring', () => {
  test('keeps when a key was first seen, and when it was superseded', () => {
    const first = withCurrent(EMPTY_RING, derived(0), at(10))
    const second = withCurrent(first, derived(1), at(20))
    expect(second.keys).toEqual([
      { id: derived(1), seenAt: 20_000, usedAt: 20 },
      { id: derived(0), seenAt: 10_000, usedAt: 20 },
    ])
    expect(withUse(second, derived(0), at(30)).keys.at(-1)).toEqual({
      id: derived(0),
      seenAt: 10_000,
      usedAt: 30,
    })
    expect(withCurrent(second, derived(1), at(40)).current).toEqual(derived(1))
  })

  test('lets go of what was superseded and unused for the grace time, never of the key in force', () => {
    const used = withUse(withCurrent(EMPTY_RING, derived(0), at(0)), foreign(1), at(50))
    const ring = withCurrent(used, derived(9), at(60))
    expect(withoutRetired(ring, 100, 149)).toBe(ring)
    expect(withoutRetired(ring, 100, 150).keys.map(({ id }) => id)).toEqual([
      derived(9),
      derived(0),
    ])
    expect(withoutRetired(ring, 100, 1_000).keys.map(({ id }) => id)).toEqual([derived(9)])
  })

  test('never lets go of the highest generation while a foreign key is in force', () => {
    let ring = withCurrent(withCurrent(EMPTY_RING, derived(4), at(0)), derived(5), at(10))
    for (let n = 0; n < 2 * MAX_KEYS; n++) ring = withCurrent(ring, foreign(n), at(20 + n))
    expect(ring.keys).toHaveLength(MAX_KEYS)
    expect(ringGeneration(ring)).toBe(5)
    const left = withoutRetired(ring, 100, 1_000)
    expect(left.keys.map(({ id }) => id)).toEqual([foreign(2 * MAX_KEYS - 1), derived(5)])
  })

  test('remembers under which URLs it was registered, the latest first', () => {
    let ring = EMPTY_RING
    for (const url of ['a', 'b', 'a', 'c']) ring = withConfirmedUrl(ring, url)
    expect(ring).toMatchObject({ confirmedUrl: 'c', formerUrls: ['a', 'b'] })
    expect(withConfirmedUrl(ring, 'c')).toBe(ring)
  })

  test('released, has each URL once, and no more than it can hold', () => {
    let ring = EMPTY_RING
    for (let n = 0; n < 20; n += 1) ring = withConfirmedUrl(ring, `url ${n % 18}`)
    const { formerUrls, confirmedUrl } = withReleased(ring)
    expect(confirmedUrl).toBeNull()
    expect(formerUrls[0]).toBe(ring.confirmedUrl)
    expect(new Set(formerUrls).size).toBe(16)
    expect(formerUrls).toHaveLength(16)
    expect(withReleased(withReleased(ring))).toEqual(withReleased(ring))
  })

  test('knows of a write that was not seen yet', () => {
    const ring = withWriteBegun(EMPTY_RING, 7)
    expect(ring.unseenSince).toBe(7)
    // It has to be saved, whatever the clock says.
    expect(withWriteBegun(ring, 7)).not.toBe(ring)
    expect(withNothingUnseen(ring).unseenSince).toBeNull()
    expect(withNothingUnseen(EMPTY_RING)).toBe(EMPTY_RING)
  })

  test('knows whether the move to the first secret was made', () => {
    const first = NEW.fingerprint
    expect(withMove(EMPTY_RING, first, null)).toBe(EMPTY_RING)
    expect(withMove(EMPTY_RING, first, foreign(1))).toBe(EMPTY_RING)
    expect(withMove(EMPTY_RING, first, derived(1, OLD))).toBe(EMPTY_RING)
    const moved = withMove(EMPTY_RING, first, derived(1))
    expect(moved.movedTo).toBe(first)
    expect(withMove(moved, first, derived(1, OLD))).toBe(moved)
    expect(withMove(moved, OLD.fingerprint, null).movedTo).toBeNull()
  })

  test('knows its generation', () => {
    expect(ringGeneration(EMPTY_RING)).toBe(-1)
    expect(ringGeneration(withCurrent(EMPTY_RING, foreign(1), at(0)))).toBe(-1)
    expect(ringGeneration(withCurrent(EMPTY_RING, derived(2), at(0)))).toBe(2)
  })

  test('knows whether its key is too old', () => {
    const ring = withCurrent(EMPTY_RING, derived(2), at(10))
    expect(isTooOld(ring, 5_000, 14_999)).toBe(false)
    expect(isTooOld(ring, 5_000, 15_000)).toBe(true)
    expect(isTooOld(ring, undefined, 15_000)).toBe(false)
    expect(isTooOld(EMPTY_RING, 0, 15_000)).toBe(false)
  })

  test('shows a foreign key by a generation that none has', () => {
    expect(shownGeneration(derived(2))).toBe(2)
    expect(shownGeneration(foreign(1))).toBe(-1)
  })

  test('tells keys apart', () => {
    expect(sameKey(derived(1), derived(1))).toBe(true)
    expect(sameKey(derived(1), derived(1, OLD))).toBe(false)
    expect(sameKey(foreign(1), foreign(1))).toBe(true)
    expect(sameKey(foreign(1), derived(1))).toBe(false)
    expect(sameKey(null, null)).toBe(false)
    expect(sameKey(derived(1), null)).toBe(false)
  })
})

test('a release that came to nothing leaves the ring as it was, with what it has learnt since', () => {
  const before = withConfirmedUrl(
    withCurrent(EMPTY_RING, derived(0), at(0)),
    'https://a.example.com/',
  )
  const learnt = withUse(withReleased(before), foreign(1), at(1))
  const { keys, ...rest } = withReleaseTakenBack(learnt, before)
  expect({ ...rest, keys: before.keys }).toEqual(before)
  expect(keys).toEqual(learnt.keys)
})
