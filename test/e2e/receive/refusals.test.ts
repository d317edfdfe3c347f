// What a running service answers to callbacks that are wrong in some way, over a real socket, and
// what it counts. Then bodies that nobody understands: kept, flagged, and answered 200.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type CallbackOptions,
  nowSeconds,
  SUCCESS,
  sendCallback,
  snapshotBody,
} from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  type Serving,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const KEY = keyOf(0)
const MAX_BODY_BYTES = 64 * 1024
const UNAUTHORIZED = '{"Code":401,"Msg":"Unauthorized"}'

let stage: Stage
let service: Serving

beforeAll(async () => {
  stage = await setStage()
  service = await stage.serve()
  await settled(service)
})
afterAll(() => stage[Symbol.asyncDispose]())

type Row = [outcome: string, status: number, what: string, callback: Partial<CallbackOptions>]

const seen = snapshotBody()
const seenAt = nowSeconds()
const TABLE: Row[] = [
  ['missing_header', 401, 'no timestamp', { headers: { 'ALI-LIVE-TIMESTAMP': null } }],
  ['missing_header', 401, 'no signature', { headers: { 'ALI-LIVE-SIGNATURE': null } }],
  ['bad_timestamp', 401, 'letters in it', { timestamp: `${nowSeconds()}x` }],
  ['bad_timestamp', 401, 'thirteen digits', { timestamp: `${Date.now()}` }],
  ['stale', 401, 'six minutes old', { timestamp: nowSeconds(-360) }],
  ['future', 401, 'six minutes early', { timestamp: nowSeconds(360) }],
  ['bad_signature', 401, 'a key of nobody', { key: 'notakeyofanybody12' }],
  ['bad_signature', 401, 'not hex', { spell: (hex) => hex.replace(/./, 'g') }],
  ['bad_signature', 401, 'cut short', { spell: (hex) => hex.slice(1) }],
  [
    'bad_signature',
    401,
    "signed for the request's own Host",
    { signedHost: 'evil.example', headers: { Host: 'evil.example' } },
  ],
  ['too_large', 413, 'above 64 KiB', { body: 'x'.repeat(MAX_BODY_BYTES + 1) }],
  [
    'too_large',
    413,
    'above 64 KiB, undeclared',
    {
      body: 'x'.repeat(MAX_BODY_BYTES + 1),
      headers: { 'Content-Length': null, 'Transfer-Encoding': 'chunked' },
    },
  ],
  ['method', 405, 'GET', { method: 'GET', body: '' }],
  ['method', 405, 'PUT', { method: 'PUT' }],
  ['accepted', 200, 'as it should be', { body: seen, timestamp: seenAt }],
  ['duplicate', 200, 'the same again', { body: seen, timestamp: seenAt }],
  ['accepted', 200, 'hex in upper case', { spell: (hex) => hex.toUpperCase() }],
  ['accepted', 200, 'exactly 64 KiB', { body: 'x'.repeat(MAX_BODY_BYTES) }],
  ['accepted', 200, "somebody else's Host", { headers: { Host: 'evil.example' } }],
  ['accepted', 200, 'another content type', { headers: { 'Content-Type': 'text/plain' } }],
  ['accepted', 200, 'no content type', { headers: { 'Content-Type': null } }],
]

describe('a callback', () => {
  test.each(TABLE)('%s, %i: %s', async (outcome, status, _what, callback) => {
    const before = await counted(outcome)
    const answer = await sendCallback(stage.callbackUrl(), { key: KEY, ...callback })
    expect(answer.status).toBe(status)
    expect(await counted(outcome)).toBe(before + 1)
    if (status === 200) expect(answer.body).toBe(SUCCESS)
    if (status === 401) expect(answer.body).toBe(UNAUTHORIZED)
  })

  test('unknown_domain, 404: a domain that is not ours', async () => {
    const url = stage.callbackUrl('somebody.example.org')
    expect((await sendCallback(url, { key: KEY })).status).toBe(404)
    expect(await counted('unknown_domain', 'other')).toBe(1)
  })

  test('an event for each that was accepted, and for no other', async () => {
    const accepted = TABLE.filter(([outcome]) => outcome === 'accepted').length
    await until('the events', () => service.events().length >= accepted)
    expect(service.events()).toHaveLength(accepted)
  })
})

const DEEP = 5_000
const BODIES: [what: string, body: string | Uint8Array, flags: string[]][] = [
  ['not JSON', 'a snapshot!', ['not_json']],
  ['empty', '', ['not_json']],
  ['an array', '[{"OssObject":"a.jpg"}]', ['not_object']],
  ['a string', '"a.jpg"', ['not_object']],
  ['invalid UTF-8', Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), ['not_json']],
  ['nested objects', `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`, ['no_object']],
  ['nested arrays', '['.repeat(DEEP) + ']'.repeat(DEEP), ['not_object']],
  ["another domain's", snapshotBody({ DomainName: 'pull.example.net' }), ['other_domain']],
  ['of another age', snapshotBody({ CreateTimestamp: 1 }), ['bad_time']],
]

describe('a body', () => {
  test.each(BODIES)('%s: kept as it is, flagged, answered 200', async (_what, body, flags) => {
    const before = service.events().length
    const flag = flags[0] ?? ''
    const flagged = await countedFlag(flag)
    const answer = await sendCallback(stage.callbackUrl(), { key: KEY, body })
    expect([answer.status, answer.body]).toEqual([200, SUCCESS])
    const event = await until('its event', () => service.events()[before])
    expect(event.source).toBe(`acs:live:${DOMAIN}`)
    expect(event.data.flags).toEqual(flags)
    const kept =
      event.data.rawBase64 === undefined
        ? Buffer.from(event.data.raw ?? 'nothing')
        : Buffer.from(event.data.rawBase64, 'base64')
    expect(kept).toEqual(Buffer.from(body))
    expect(await countedFlag(flag)).toBe(flagged + 1)
  })
})

describe('while no key in force is known', () => {
  test('an unknown signature is told to come back, a key of ours is accepted', async () => {
    await using dark = await setStage()
    dark.emulator.setFaults([{ operation: '*', fault: 'drop' }])
    const waiting = await dark.serve()
    const url = dark.callbackUrl()
    for (const generation of [0, 3]) {
      expect((await sendCallback(url, { key: keyOf(generation) })).status).toBe(200)
    }
    for (const key of [keyOf(4), 'notakeyofanybody12']) {
      const answer = await sendCallback(url, { key })
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/)
    }
    const metrics = await metricsOf(waiting)
    const outcome = (name: string) =>
      metrics.value('snaphook_callbacks_total', { domain: DOMAIN, outcome: name })
    expect([outcome('accepted'), outcome('no_key'), outcome('bad_signature')]).toEqual([2, 2, 0])
    await until('the two events', () => waiting.events().length === 2)
  })
})

async function counted(outcome: string, domain = DOMAIN): Promise<number> {
  const metrics = await metricsOf(service)
  return metrics.value('snaphook_callbacks_total', { domain, outcome }) ?? Number.NaN
}

async function countedFlag(flag: string): Promise<number> {
  const metrics = await metricsOf(service)
  return metrics.value('snaphook_callbacks_flagged_total', { domain: DOMAIN, flag }) ?? Number.NaN
}
