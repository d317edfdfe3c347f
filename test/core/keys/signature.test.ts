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
    findSigner({ timestamp: '1519375990', signature }, hosts, keys)

  test('finds the key under any of the hosts, hex in either case', () => {
    expect(find(EXAMPLE)).toBe(keys[1])
    expect(find(EXAMPLE.toUpperCase())).toBe(keys[1])
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
        )
        expect(found !== undefined).toBe(key === other)
      }),
    )
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
