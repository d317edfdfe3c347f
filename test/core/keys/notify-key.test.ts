import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createKeySearch,
  isUsableKey,
  MAX_GENERATIONS,
  notifyKey,
  parseSecret,
  sealingKey,
  secretFrom,
} from '../../../src/core/keys/notify-key.ts'

const SECRET = secretFrom(new Uint8Array(32).fill(7))
const OTHER = secretFrom(new Uint8Array(32).fill(8))
const DOMAIN = 'play.example.com'

describe('notifyKey', () => {
  test('is what it was in every release: a change would cut off all running streams', () => {
    expect(notifyKey(SECRET, 'a.b', 0)).toBe('RbdIfjTrD1YviQPMjWCTFFnwbj8umMyl')
    expect(SECRET.fingerprint).toBe('97dca473')
  })

  test('has the form that the provider takes, and starts with a letter', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 48 })
    fc.assert(
      fc.property(bytes, fc.nat(MAX_GENERATIONS), (secret, generation) => {
        const key = notifyKey(secretFrom(secret), DOMAIN, generation)
        expect(key).toMatch(/^[A-Za-z][A-Za-z0-9]{31}$/)
        expect(isUsableKey(key)).toBe(true)
      }),
    )
  })

  test('is the same however many were derived since', () => {
    const key = notifyKey(SECRET, DOMAIN, 0)
    for (let n = 0; n < 5_000; n += 1) notifyKey(SECRET, `play-${n}.example.com`, 0)
    expect(notifyKey(SECRET, DOMAIN, 0)).toBe(key)
  })

  test('differs by secret, domain and generation, and from what seals', () => {
    const keys = [
      notifyKey(SECRET, DOMAIN, 0),
      notifyKey(SECRET, DOMAIN, 1),
      notifyKey(SECRET, 'live.example.com', 0),
      notifyKey(OTHER, DOMAIN, 0),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(sealingKey(SECRET)).toHaveLength(32)
    expect(sealingKey(SECRET)).not.toEqual(sealingKey(OTHER))
  })
})

describe('parseSecret', () => {
  test.each([
    ['a'.repeat(43), 32],
    [`${'a'.repeat(43)}=`, 32],
    ['a'.repeat(42), undefined],
    [`${'a'.repeat(43)}+`, undefined],
    [` ${'a'.repeat(43)}`, undefined],
    ['', undefined],
  ])('%j: %s bytes', (text, length) => {
    expect(parseSecret(text)?.length).toBe(length)
  })
})

describe('isUsableKey', () => {
  test.each([
    ['testkeyyourkey12', true],
    ['1234561234561234', true],
    ['a'.repeat(32), false],
    ['abcdeabcdeabcdea', false],
    ['abcdefabcdefabcd', true],
    ['short1', false],
    ['testkeyyourkey12'.repeat(3), false],
    ['****************', false],
    ['testkey-yourkey1', false],
  ])('%s: %s', (key, usable) => {
    expect(isUsableKey(key)).toBe(usable)
  })
})

describe('createKeySearch', () => {
  const search = createKeySearch([SECRET, OTHER])

  test.each([0, 1, 17, MAX_GENERATIONS - 1])(
    'finds generation %i of either secret',
    (generation) => {
      for (const { fingerprint, ...secret } of [SECRET, OTHER]) {
        const key = notifyKey({ ...secret, fingerprint }, DOMAIN, generation)
        expect(search(key, DOMAIN)).toEqual({ secret: fingerprint, generation })
      }
    },
  )

  test('goes as far beyond the first ones as the generation that is known', () => {
    const key = notifyKey(SECRET, DOMAIN, 700)
    expect(search(key, DOMAIN)).toBeUndefined()
    expect(search(key, DOMAIN, 690)).toMatchObject({ generation: 700 })
    expect(search(key, DOMAIN, 710)).toMatchObject({ generation: 700 })
    expect(search(notifyKey(SECRET, DOMAIN, 3), DOMAIN, 690)).toMatchObject({ generation: 3 })
    expect(search(key, DOMAIN, 1_000)).toBeUndefined()
  })

  test('takes a key of another domain, or of nobody, for foreign, also when asked again', () => {
    const key = notifyKey(SECRET, 'live.example.com', 0)
    expect(search(key, DOMAIN)).toBeUndefined()
    expect(search(key, DOMAIN)).toBeUndefined()
    expect(search(key, 'live.example.com')).toBeDefined()
  })
})
