import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkTimestamp, findSigner, sign, signedHosts } from '../../../src/core/keys/signature.ts'

const NOW = 1_519_375_990
const EXAMPLE = '9e226fc2c250be266e3657e156f68c12'

describe('sign', () => {
  test("makes the digest of the provider's documented example", () => {
    expect(sign('learn.aliyundoc.com', '1519375990', 'yourkey')).toBe(EXAMPLE)
  })
})

describe('checkTimestamp', () => {
  test.each([
    ['now', `${NOW}`, NOW],
    ['as old as allowed', `${NOW - 300}`, NOW - 300],
    ['older than allowed', `${NOW - 301}`, 'stale'],
    ['as early as allowed', `${NOW + 300}`, NOW + 300],
    ['earlier than allowed', `${NOW + 301}`, 'future'],
    ['twelve digits', '999999999999', 'future'],
    ['thirteen digits', '1519375990000', 'bad_timestamp'],
    ['nothing', '', 'bad_timestamp'],
    ['trailing junk', `${NOW}x`, 'bad_timestamp'],
    ['a sign', `+${NOW}`, 'bad_timestamp'],
    ['a fraction', `${NOW}.5`, 'bad_timestamp'],
    ['an exponent', '1e9', 'bad_timestamp'],
    ['a line break', `${NOW}\n`, 'bad_timestamp'],
    ['digits of another script', '١٥١٩٣٧٥٩٩٠', 'bad_timestamp'],
  ])('%s', (_, timestamp, expected) => {
    expect(checkTimestamp(timestamp, NOW, 300)).toBe(expected)
  })

  test('without a skew any age passes, and the form still counts', () => {
    expect(checkTimestamp('1', NOW, undefined)).toBe(1)
    expect(checkTimestamp('1x', NOW, undefined)).toBe('bad_timestamp')
  })
})

describe('findSigner', () => {
  const keys = [{ key: 'another' }, { key: 'yourkey' }]
  const hosts = ['other.example.com', 'learn.aliyundoc.com']
  const find = (signature: string) =>
    findSigner({ timestamp: '1519375990', signature }, hosts, keys, false)

  test('finds the key under any of the hosts, hex in either case', () => {
    const found = { key: keys[1], host: hosts[1] }
    expect(find(EXAMPLE)).toEqual(found)
    expect(find(EXAMPLE.toUpperCase())).toEqual(found)
  })

  test.each([
    ['another digest', EXAMPLE.replace('9', '8')],
    ['a digest cut short', EXAMPLE.slice(1)],
    ['no hex', 'z'.repeat(32)],
    ['two signatures joined', `${EXAMPLE}, ${EXAMPLE}`],
    ['nothing', ''],
  ])('refuses %s', (_, signature) => {
    expect(find(signature)).toBeUndefined()
  })

  test('finds whatever was signed with one of the keys, and nothing else', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (key, other, timestamp) => {
        const signature = sign('h', String(timestamp), key)
        const found = findSigner(
          { timestamp: String(timestamp), signature },
          ['h'],
          [{ key: other }],
          false,
        )
        expect(found !== undefined).toBe(key === other)
      }),
    )
  })
})

describe('many keys and many hosts', () => {
  const hosts = Array.from({ length: 34 }, (_, n) => `host-${n}.example.com`)
  /** Counts how often a key is tried. */
  function counted() {
    let tries = 0
    const keys = Array.from({ length: 16 }, (_, n) => ({
      get key() {
        tries += 1
        return `key-${n}`
      },
    }))
    return { keys, tries: () => tries }
  }
  const find = (host: string, key: string, isThorough: boolean) => {
    const signature = sign(host, '1', key)
    return findSigner({ timestamp: '1', signature }, hosts, counted().keys, isThorough)
  }

  test('a bad signature costs no more than some sixty digests', () => {
    const { keys, tries } = counted()
    const signature = 'f'.repeat(32)
    expect(findSigner({ timestamp: '1', signature }, hosts, keys, false)).toBeUndefined()
    expect(tries()).toBeLessThanOrEqual(64)
    expect(findSigner({ timestamp: '1', signature }, hosts, keys, true)).toBeUndefined()
    expect(tries()).toBeGreaterThanOrEqual(34 * 16)
  })

  test('the likely ones are found at once, the others by a thorough search', () => {
    expect(find('host-0.example.com', 'key-15', false)).toBeDefined()
    expect(find('host-19.example.com', 'key-0', false)).toBeDefined()
    expect(find('host-20.example.com', 'key-0', false)).toBeUndefined()
    expect(find('host-33.example.com', 'key-15', false)).toBeUndefined()
    expect(find('host-33.example.com', 'key-15', true)).toMatchObject({
      host: 'host-33.example.com',
    })
  })

  test('few are tried whole', () => {
    const four = hosts.slice(0, 4)
    const signature = sign('host-3.example.com', '1', 'key-15')
    expect(findSigner({ timestamp: '1', signature }, four, counted().keys, false)).toBeDefined()
  })
})

describe('signedHosts', () => {
  test.each([
    ['https://hook.example.com/a', ['hook.example.com']],
    ['https://hook.example.com:8443', ['hook.example.com', 'hook.example.com:8443']],
    ['https://Hook.Example.com', ['hook.example.com', 'Hook.Example.com']],
    ['https://hook.example.com:443/x', ['hook.example.com', 'hook.example.com:443']],
    ['http://[::1]:8080', ['[::1]', '[::1]:8080']],
  ])('%s', (url, expected) => {
    expect(signedHosts(url)).toEqual(expected)
  })
})
