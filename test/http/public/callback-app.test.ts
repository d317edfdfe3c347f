import type { HttpBindings } from '@hono/node-server'
import { describe, expect, test } from 'vitest'
import type { CallbackOutcome } from '../../../src/core/events/callback.ts'
import { probeAnswers } from '../../../src/core/probe.ts'
import { type CallbackRequest, MAX_BODY_BYTES } from '../../../src/flows/receive/receiver.ts'
import { createCallbackApp } from '../../../src/http/public/callback-app.ts'
import { createFakeLog, createFakeReceiver, PROBED } from '../fakes.ts'

const PATH = '/callbacks/play.example.com'
const SIGNED = { 'ali-live-timestamp': '1700000000', 'ali-live-signature': 'good' }

type Overrides = {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: Uint8Array | string | ReadableStream | null
  receive?: (request: CallbackRequest) => Promise<CallbackOutcome>
}

async function post(overrides: Overrides = {}) {
  const receiver = createFakeReceiver()
  const log = createFakeLog()
  const asked: [string, string][] = []
  const app = createCallbackApp({
    receiver: overrides.receive ? { receive: overrides.receive } : receiver,
    isCallbackPath(prefix, domain) {
      asked.push([prefix, domain])
      return prefix === '' || prefix === '/hook%20a'
    },
    ...PROBED,
    log,
  })
  const { path = PATH, method = 'POST', headers = SIGNED, body = null } = overrides
  const incoming = { headers } as unknown as HttpBindings['incoming']
  const init = { method, headers, body, duplex: 'half' } as RequestInit
  const response = await app.request(path, init, { incoming })
  return { response, receiver, log, asked }
}

function streamOf(
  chunks: number,
  bytes: number,
  pulled = { count: 0 },
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      if (pulled.count === chunks) return controller.close()
      pulled.count += 1
      controller.enqueue(new Uint8Array(bytes).fill(pulled.count))
    },
  })
}

describe('a probe', () => {
  const NONCE = 'nonce-of-a-probe-1'

  test('is answered with proof that we hold the secret, and is not a callback', async () => {
    const { response, receiver } = await post({ path: `/probe/${NONCE}`, method: 'GET' })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ answers: probeAnswers(NONCE, PROBED.secrets) })
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(receiver.requests).toEqual([])
  })

  test('is answered under a public URL that has /callbacks in its path', async () => {
    const app = createCallbackApp({
      receiver: createFakeReceiver(),
      isCallbackPath: () => true,
      ...PROBED,
      isPublicPath: (prefix) => prefix === '/callbacks',
      log: createFakeLog(),
    })
    expect((await app.request(`/callbacks/probe/${NONCE}`)).status).toBe(200)
  })

  test.each([
    ['another method', 'POST', `/probe/${NONCE}`, 405],
    ['a short nonce', 'GET', '/probe/short', 404],
    ['a long nonce', 'GET', `/probe/${'n'.repeat(65)}`, 404],
    ['a nonce of other characters', 'GET', '/probe/nonce%20of-a-probe-1', 404],
    ['a path that is not ours', 'GET', `/elsewhere/probe/${NONCE}`, 404],
  ])('%s', async (_, method, path, status) => {
    expect((await post({ path, method })).response.status).toBe(status)
  })
})

describe('answers', () => {
  const json = 'application/json'
  const rows: [CallbackOutcome, number, string, Record<string, string>?][] = [
    ['accepted', 200, '{"Code":0,"Msg":"Success"}'],
    ['duplicate', 200, '{"Code":0,"Msg":"Success"}'],
    ['missing_header', 401, '{"Code":401,"Msg":"Unauthorized"}'],
    ['bad_timestamp', 401, '{"Code":401,"Msg":"Unauthorized"}'],
    ['stale', 401, '{"Code":401,"Msg":"Unauthorized"}'],
    ['future', 401, '{"Code":401,"Msg":"Unauthorized"}'],
    ['bad_signature', 401, '{"Code":401,"Msg":"Unauthorized"}'],
    ['unknown_domain', 404, '{"Code":404,"Msg":"Not found"}'],
    ['method', 405, '{"Code":405,"Msg":"Method not allowed"}', { allow: 'POST' }],
    ['too_large', 413, '{"Code":413,"Msg":"Content too large"}'],
    ['aborted', 400, '{"Code":400,"Msg":"Incomplete request"}'],
    ['no_key', 503, '{"Code":503,"Msg":"Unavailable"}', { 'retry-after': '1' }],
    ['overloaded', 503, '{"Code":503,"Msg":"Unavailable"}', { 'retry-after': '1' }],
    ['store_failed', 503, '{"Code":503,"Msg":"Unavailable"}', { 'retry-after': '1' }],
  ]

  test.each(rows)('%s is %i', async (outcome, status, body, headers = {}) => {
    const { response } = await post({ receive: async () => outcome })
    expect(response.status).toBe(status)
    expect(await response.text()).toBe(body)
    expect(Object.fromEntries(response.headers)).toEqual({ 'content-type': json, ...headers })
  })

  test('a receiver that fails is a bare 500, and the log has where it came from', async () => {
    const { response, log } = await post({
      receive: () => Promise.reject(new Error('disk on fire')),
    })
    expect(response.status).toBe(500)
    expect(await response.text()).toBe('{"Code":500,"Msg":"Internal error"}')
    expect(log.lines).toMatchObject([
      { level: 'error', message: 'a callback failed', fields: { error: 'Error: disk on fire' } },
    ])
    expect(log.lines[0]?.fields).toMatchObject({
      frames: expect.arrayContaining([expect.stringContaining('callback-app.test')]),
    })
  })
})

describe('paths', () => {
  test.each([
    [PATH, '', 'play.example.com'],
    [`${PATH}/`, '', 'play.example.com'],
    [`${PATH}?x=/callbacks/y`, '', 'play.example.com'],
    ['/callbacks/PLAY.Example.COM', '', 'play.example.com'],
    ['/callbacks/pl%61y%2Eexample.com', '', 'play.example.com'],
    ['/callbacks/a%2Fb', '', 'a/b'],
    ['/callbacks/%2561', '', '%61'],
    ['/callbacks/callbacks/play.example.com', '/callbacks', 'play.example.com'],
    ['/hook%20a/callbacks/play.example.com', '/hook%20a', 'play.example.com'],
    ['/%68ook%20a/callbacks/play.example.com', '/hook%20a', 'play.example.com'],
    ['//callbacks/x', '/', 'x'],
  ])('%s is domain and prefix', async (path, prefix, domain) => {
    const { asked } = await post({ path: `http://localhost${path}` })
    expect(asked).toEqual([[prefix, domain]])
  })

  test.each([
    '/',
    '/callbacks',
    '/callbacks/',
    '/callbacks//',
    '/callbacks/%ff',
    '/callbacks/%',
    '/callback/play.example.com',
    '/%63allbacks/play.example.com',
    '/elsewhere?/callbacks/play.example.com',
  ])('%s is nothing', async (path) => {
    const { response, receiver, asked } = await post({ path })
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('{"Code":404,"Msg":"Not found"}')
    expect(asked).toEqual([])
    expect(receiver.requests).toEqual([])
  })

  test.each(['/other/callbacks/play.example.com', '/callbacks/a/b'])(
    '%s is not asked of the receiver unless it is a callback path',
    async (path) => {
      const receiver = createFakeReceiver()
      const app = createCallbackApp({
        receiver,
        isCallbackPath: () => false,
        ...PROBED,
        log: createFakeLog(),
      })
      const response = await app.request(path, { method: 'POST' })
      expect(response.status).toBe(404)
      expect(receiver.requests).toEqual([])
    },
  )

  test('an unknown path and an unknown domain look the same', async () => {
    const unknownDomain = await post({ receive: async () => 'unknown_domain' })
    const unknownPath = await post({ path: '/nothing' })
    expect(await unknownPath.response.text()).toBe(await unknownDomain.response.text())
  })
})

describe('the request handed on', () => {
  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    '%s reaches the receiver as it is',
    async (method) => {
      const { response, receiver } = await post({ method })
      expect(receiver.requests[0]?.method).toBe(method)
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('POST')
    },
  )

  test('names the domain, the length and both headers', async () => {
    const headers = { ...SIGNED, 'content-length': '2' }
    const { receiver } = await post({ headers, body: '{}' })
    expect(receiver.requests[0]).toMatchObject({
      domain: 'play.example.com',
      method: 'POST',
      contentLength: 2,
      timestamp: '1700000000',
      signature: 'good',
    })
  })

  test('leaves out what was not sent', async () => {
    const { receiver, response } = await post({ headers: {} })
    expect(receiver.requests[0]).toMatchObject({
      contentLength: undefined,
      timestamp: undefined,
      signature: undefined,
    })
    expect(response.status).toBe(401)
  })

  test('a repeated signature is one that fails', async () => {
    const headers = { ...SIGNED, 'ali-live-signature': 'good, good' }
    const { response } = await post({ headers })
    expect(response.status).toBe(401)
  })
})

describe('bodies', () => {
  const declared = (bytes: number) => ({ ...SIGNED, 'content-length': String(bytes) })

  test.each([0, 1, MAX_BODY_BYTES])('%i declared bytes are read', async (bytes) => {
    const body = new Uint8Array(bytes).fill(7)
    const { receiver } = await post({ headers: declared(bytes), body })
    expect(receiver.bodies).toEqual([body])
  })

  test('no body at all is empty', async () => {
    const { receiver } = await post()
    expect(receiver.bodies[0]?.byteLength).toBe(0)
  })

  test('chunks are joined up to the limit', async () => {
    const { receiver } = await post({ body: streamOf(64, 1024) })
    expect(receiver.bodies[0]?.byteLength).toBe(MAX_BODY_BYTES)
    expect(receiver.bodies[0]?.at(-1)).toBe(64)
  })

  test('chunks are refused as soon as they exceed it', async () => {
    const pulled = { count: 0 }
    const { receiver } = await post({ body: streamOf(1_000_000, 1024, pulled) })
    expect(receiver.outcomes).toEqual(['too_large'])
    expect(pulled.count).toBeLessThanOrEqual(66)
  })

  test('a declared length above the limit is never read, even if the receiver asks', async () => {
    const receive = async (request: CallbackRequest) => {
      const body = await request.readBody()
      return typeof body === 'string' ? body : 'accepted'
    }
    const { response } = await post({ receive, headers: declared(MAX_BODY_BYTES + 1) })
    expect(response.status).toBe(413)
  })

  test.each([{}, { 'content-length': '10' }])(
    'an upload that breaks off is aborted %#',
    async (more) => {
      const body = new ReadableStream({
        pull: (controller) => controller.error(new Error('reset')),
      })
      const { receiver, response } = await post({ headers: { ...SIGNED, ...more }, body })
      expect(receiver.outcomes).toEqual(['aborted'])
      expect(response.status).toBe(400)
    },
  )
})
