import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUtf8, FLAGS, understand } from '../../../src/core/events/callback.ts'

const DOMAIN = 'play.example.com'
const RECEIVED = Date.parse('2026-01-02T03:04:05Z')
const HOUR = 3_600_000
const read = (body: unknown) => readText(JSON.stringify(body))
const readText = (text: string) => understand(new TextEncoder().encode(text), DOMAIN, RECEIVED)

// All bodies here are made up: the provider does not publish the fields of a snapshot callback.
describe('the spellings of a field', () => {
  const understood = {
    app: 'live',
    stream: 's1',
    bucket: 'b',
    endpoint: 'e',
    object: 'o.jpg',
    capturedAt: RECEIVED,
    flags: [],
  }
  test.each([
    ['Pascal', ['DomainName', 'AppName', 'StreamName', 'OssBucket', 'OssEndpoint', 'OssObject']],
    ['camel', ['domainName', 'appName', 'streamName', 'ossBucket', 'ossEndpoint', 'ossObject']],
    [
      'snake',
      ['domain_name', 'app_name', 'stream_name', 'oss_bucket', 'oss_endpoint', 'oss_object'],
    ],
    ['short', ['domain', 'app', 'stream', 'bucket', 'endpoint', 'uri']],
  ])('%s', (_, [domain, app, stream, bucket, endpoint, object]) => {
    const body = {
      [String(domain)]: DOMAIN.toUpperCase(),
      [String(app)]: 'live',
      [String(stream)]: 's1',
      [String(bucket)]: 'b',
      [String(endpoint)]: 'e',
      [String(object)]: 'o.jpg',
      CreateTimestamp: RECEIVED,
    }
    expect(read(body)).toEqual(understood)
  })

  test('the longer name wins over its alias', () => {
    expect(read({ app: 'b', AppName: 'a' }).app).toBe('a')
  })

  test('a byte order mark does no harm', () => {
    expect(readText('\uFEFF{"app":"live"}').app).toBe('live')
  })
})

describe('values', () => {
  test.each([
    ['a number', 12, '12'],
    ['a number beyond 2^53, whose digits are lost', 2 ** 60, null],
    ['a fraction', 1.5, null],
    ['an empty text', '', null],
    ['null', null, null],
    ['an object', {}, null],
  ])('a name that is %s', (_, StreamName, expected) => {
    expect(read({ StreamName }).stream).toBe(expected)
  })

  test.each([
    ['milliseconds', { CreateTimestamp: RECEIVED - 1 }, RECEIVED - 1],
    ['milliseconds as text', { create_timestamp: `${RECEIVED}` }, RECEIVED],
    ['seconds', { time: RECEIVED / 1000 }, RECEIVED],
    ['seconds with a fraction', { time: RECEIVED / 1000 + 0.25 }, RECEIVED + 250],
    ['ISO 8601', { CreateTime: '2026-01-02T03:04:05Z' }, RECEIVED],
    ['ISO 8601 with an offset', { CreateTime: '2026-01-02T11:04:05+08:00' }, RECEIVED],
    [
      'the second field where the first is no time',
      { CreateTimestamp: 'x', time: RECEIVED },
      RECEIVED,
    ],
    ['48 h ago', { time: RECEIVED - 48 * HOUR }, RECEIVED - 48 * HOUR],
    ['48 h ahead', { time: RECEIVED + 48 * HOUR }, RECEIVED + 48 * HOUR],
  ])('a time in %s', (_, body, expected) => {
    expect(read({ object: 'o', ...body })).toMatchObject({ capturedAt: expected, flags: [] })
  })

  test.each([
    ['further off than 48 h', RECEIVED - 48 * HOUR - 1],
    ['without a zone', '2026-01-02T03:04:05'],
    ['beyond all calendars', '9'.repeat(400)],
    ['a boolean', true],
    ['no such day', '2026-13-45T00:00:00Z'],
  ])('a time that is %s is flagged and not used', (_, time) => {
    expect(read({ object: 'o', time })).toMatchObject({ capturedAt: null, flags: ['bad_time'] })
  })
})

describe('flags', () => {
  test.each([
    ['nothing', '', ['not_json']],
    ['a trailing comma', '{"OssObject":"o",}', ['not_json']],
    ['an array', '[{}]', ['not_object']],
    ['null', 'null', ['not_object']],
    ['a text', '"x"', ['not_object']],
    ['an object without one', '{}', ['no_object']],
    ['nested 5,000 deep', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, ['not_object']],
    ['nested and cut off', '['.repeat(5_000), ['not_json']],
    ['the name of another domain', '{"OssObject":"o","DomainName":"x.y"}', ['other_domain']],
    ['all at once', '{"DomainName":"x.y","time":1}', ['no_object', 'other_domain', 'bad_time']],
    ['a prototype', '{"__proto__":{"app":"x"},"object":"o"}', []],
  ])('%s', (_, body, flags) => {
    expect(readText(body).flags).toEqual(flags)
  })

  test('bytes that are not UTF-8', () => {
    expect(understand(Uint8Array.of(0x7b, 0xff, 0x7d), DOMAIN, RECEIVED).flags).toEqual([
      'not_json',
    ])
    expect(decodeUtf8(Uint8Array.of(0xff))).toBeUndefined()
  })
})

test('no body makes it throw, and no flag is outside the closed set', () => {
  const bodies = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc
      .dictionary(fc.constantFrom('time', 'OssObject', 'domain', 'app', 'x'), fc.jsonValue())
      .map((value) => new TextEncoder().encode(JSON.stringify(value))),
  )
  fc.assert(
    fc.property(bodies, (body) => {
      const { flags } = understand(body, DOMAIN, RECEIVED)
      expect(FLAGS).toEqual(expect.arrayContaining([...flags]))
    }),
  )
})

test("a field with a very long name is no field of ours, and is in nobody's way", () => {
  const body = { ['x'.repeat(100)]: 'y', StreamName: 'door', OssObject: 'o.jpg' }
  const bytes = Buffer.from(JSON.stringify(body))
  expect(understand(bytes, 'play.example.com', 1_700_000_000_000)).toMatchObject({ stream: 'door' })
})
