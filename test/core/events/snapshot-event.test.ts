import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { understand } from '../../../src/core/events/callback.ts'
import { eventOf, toCloudEvent, understandEvent } from '../../../src/core/events/snapshot-event.ts'

const DOMAIN = 'play.example.com'
const RECEIVED = Date.parse('2026-01-02T03:04:05.678Z')
const TIMESTAMP = String(Math.floor(RECEIVED / 1000))
const bytes = (text: string) => new TextEncoder().encode(text)

function event(
  body: Uint8Array,
  over: { domain?: string; timestamp?: string; receivedAt?: number } = {},
) {
  const callback = { domain: DOMAIN, timestamp: TIMESTAMP, receivedAt: RECEIVED, ...over, body }
  return eventOf(callback, understand(body, callback.domain, callback.receivedAt))
}

const timed = bytes(`{"OssObject":"o.jpg","CreateTimestamp":${RECEIVED}}`)
const untimed = bytes('{"OssObject":"latest.jpg"}')

describe('identity', () => {
  test('a repeat of a body with a capture time is the same event, also when signed anew', () => {
    expect(event(timed, { timestamp: '1', receivedAt: RECEIVED + 5_000 }).id).toBe(event(timed).id)
  })

  test('in overwrite mode one body at two signed times is two events', () => {
    expect(event(untimed, { timestamp: '1' }).id).not.toBe(event(untimed).id)
    expect(event(untimed).id).toBe(event(untimed).id)
  })

  test('a capture time that is not usable does not make two shots one', () => {
    const body = bytes('{"OssObject":"latest.jpg","CreateTimestamp":1}')
    expect(event(body, { timestamp: '1' }).id).not.toBe(event(body).id)
  })

  test('two bodies are two events, and so is one body for two domains', () => {
    const body = fc.uint8Array({ maxLength: 40 })
    fc.assert(
      fc.property(body, body, (a, b) => {
        expect(event(a).id === event(b).id).toBe(Buffer.from(a).equals(b))
        expect(event(a, { domain: 'x.y' }).id).not.toBe(event(a).id)
      }),
    )
  })

  test('occurs at the capture time, else at the signed time', () => {
    expect(event(timed).occurredAt).toBe(RECEIVED)
    expect(event(untimed).occurredAt).toBe(Number(TIMESTAMP) * 1000)
  })
})

test('what a body says is read once, and never taken for that of another event', () => {
  const one = event(timed)
  const known = understandEvent(one)
  expect(understandEvent({ ...one })).toBe(known)
  expect(understandEvent({ ...one, domain: 'x.example.com' })).not.toBe(known)
  expect(understandEvent({ ...one, receivedAt: 0 }).flags).toEqual(['bad_time'])
  expect(understandEvent({ ...one, receivedAt: 0, origin: 'audit' }).flags).toEqual([])
  expect(understandEvent({ ...one, body: untimed }).object).toBe('latest.jpg')
})

describe('the CloudEvents form', () => {
  test('has times as `toISOString` writes them, whatever came before', () => {
    const years = { min: 0, max: Date.UTC(10_000, 0) - 1 }
    const near = fc.integer({ min: RECEIVED - 2_000, max: RECEIVED + 2_000 })
    fc.assert(
      fc.property(fc.oneof(near, fc.integer(years)), (receivedAt) => {
        const { time, data } = toCloudEvent({ ...event(untimed, { receivedAt }), seq: 1 })
        const expected = new Date(receivedAt).toISOString()
        expect([time, data.receivedAt]).toEqual([expected, expected])
      }),
    )
  })

  test('of a body that is understood', () => {
    const body = bytes(
      `{"DomainName":"${DOMAIN}","AppName":"live","StreamName":"s1","OssBucket":"b","OssEndpoint":"e","OssObject":"o.jpg","CreateTimestamp":${RECEIVED - 1_000}}`,
    )
    expect(toCloudEvent({ ...event(body), seq: 7 })).toEqual({
      specversion: '1.0',
      id: event(body).id,
      source: `acs:live:${DOMAIN}`,
      type: 'com.aliyun.live.snapshot',
      subject: 'live/s1',
      time: '2026-01-02T03:04:04.678Z',
      datacontenttype: 'application/json',
      data: {
        domain: DOMAIN,
        app: 'live',
        stream: 's1',
        bucket: 'b',
        endpoint: 'e',
        object: 'o.jpg',
        capturedAt: '2026-01-02T03:04:04.678Z',
        receivedAt: '2026-01-02T03:04:05.678Z',
        origin: 'callback',
        seq: 7,
        flags: [],
        raw: new TextDecoder().decode(body),
      },
    })
  })

  test('of bytes that are not text: base64, no subject, the receive time', () => {
    const form = toCloudEvent({ ...event(Uint8Array.of(0xff, 0x00)), seq: 1 })
    expect(form).not.toHaveProperty('subject')
    expect(form.time).toBe('2026-01-02T03:04:05.678Z')
    expect(form.data).toMatchObject({ rawBase64: '/wA=', capturedAt: null, flags: ['not_json'] })
    expect(form.data).not.toHaveProperty('raw')
  })

  test('has no subject where only the app is known', () => {
    expect(toCloudEvent({ ...event(bytes('{"app":"live"}')), seq: 1 })).not.toHaveProperty(
      'subject',
    )
  })
})
