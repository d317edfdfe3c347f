import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import type { BearerAuth } from '../../../src/http/bearer.ts'
import type { Env } from '../../../src/http/env.ts'
import { createGuard } from '../../../src/http/ops/guard.ts'
import { createOpsApp } from '../../../src/http/ops/ops-app.ts'
import type { Readiness, RegistrationView } from '../../../src/ports/views.ts'
import { createFakeLog } from '../fakes.ts'

const REGISTRATION = {
  domain: 'play.example.com',
  state: 'in_sync',
  url: 'https://hook.example.com/callbacks/play.example.com',
} as RegistrationView
const READY: Readiness = {
  ready: true,
  reasons: [],
  store: 'ok',
  registrations: [REGISTRATION],
  sinks: [],
  audits: [],
}
const GOOD_TOKEN: BearerAuth = {
  verify: async (header) => (header === 'Bearer good' ? { expiresAt: 0 } : undefined),
}

type Overrides = Partial<Pick<Parameters<typeof createOpsApp>[0], 'readiness'>> & {
  auth?: BearerAuth
  method?: string
  peer?: string | undefined
  headers?: Record<string, string>
}

async function request(path: string, overrides: Overrides = {}) {
  const { method = 'GET', peer = '127.0.0.1', headers = {}, auth, ...deps } = overrides
  const log = createFakeLog()
  const app = createOpsApp({
    readiness: () => READY,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    guard: createGuard(auth),
    api: new Hono<Env>().get('/v1/registrations', (c) => c.json({ registrations: [REGISTRATION] })),
    signIn: new Hono<Env>(),
    wall: new Hono<Env>(),
    log,
    ...deps,
  })
  const incoming = {
    socket: { remoteAddress: 'peer' in overrides ? overrides.peer : peer },
  } as unknown as HttpBindings['incoming']
  const all = { host: 'localhost:9090', ...headers }
  const response = await app.request(path, { method, headers: all }, { incoming })
  return { response, log }
}

describe('health', () => {
  test('alive is always alive', async () => {
    const { response } = await request('/healthz', { peer: '203.0.113.9' })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'alive' })
  })

  test('ready is 200 with the whole picture', async () => {
    const { response } = await request('/readyz', { peer: '203.0.113.9' })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual(READY)
  })

  test('the path of the public URL is for those with a token: whoever knows it may be trusted for it', async () => {
    const url = 'https://hook.example.com/hush/callbacks/play.example.com'
    const registrations = [{ ...REGISTRATION, url }]
    const { response } = await request('/readyz', {
      readiness: async () => ({ ...READY, registrations }),
    })
    const shown = (await response.json()) as Readiness
    expect(shown.registrations[0]?.url).toBe(
      'https://hook.example.com/…/callbacks/play.example.com',
    )
  })

  test('not ready is 503 and says why', async () => {
    const state = { ...READY, ready: false, reasons: ['the store is full'] }
    const { response } = await request('/readyz', { readiness: async () => state })
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual(state)
  })

  test.each(['/healthz', '/readyz', '/metrics'])('HEAD %s has no body', async (path) => {
    const { response } = await request(path, { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('')
  })

  test('metrics have the type that their registry names', async () => {
    const { response } = await request('/metrics', { peer: '203.0.113.9' })
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4')
    expect(await response.text()).toBe('up 1\n')
  })
})

describe('the API without configured auth', () => {
  test.each([
    ['127.0.0.1', 'localhost:9090'],
    ['127.0.0.1', 'localhost'],
    ['127.8.9.10', '127.0.0.1:9090'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]:9090'],
    ['::1', '[::1]'],
  ])('answers %s asking for %s', async (peer, host) => {
    const { response } = await request('/v1/registrations', { peer, headers: { host } })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ registrations: [REGISTRATION] })
  })

  test.each<[string, Overrides]>([
    ['another peer', { peer: '10.0.0.7' }],
    ['a mapped other peer', { peer: '::ffff:10.0.0.7' }],
    ['another IPv6 peer', { peer: 'fe80::1' }],
    ['no peer any more', { peer: undefined }],
    ['a rebound name', { headers: { host: 'evil.example.com' } }],
    ['a name that ends alike', { headers: { host: 'evil.localhost' } }],
    ['a name that begins alike', { headers: { host: 'localhost.evil.example.com' } }],
    ['another loopback name', { headers: { host: '127.0.0.2' } }],
    ['an empty host', { headers: { host: '' } }],
    ['a port that is none', { headers: { host: 'localhost:9090:x' } }],
    ['a proxy (Forwarded)', { headers: { forwarded: 'for=192.0.2.1' } }],
    ['a proxy (X-Forwarded-For)', { headers: { 'X-Forwarded-For': '192.0.2.1' } }],
    ['a proxy (X-Forwarded-Host)', { headers: { 'x-forwarded-host': 'localhost' } }],
    ['a proxy (any X-Forwarded-)', { headers: { 'x-forwarded-whatever': '' } }],
    ['a proxy (Via)', { headers: { Via: '1.1 edge' } }],
    ['a proxy (X-Real-IP)', { headers: { 'X-Real-IP': '192.0.2.1' } }],
  ])('refuses %s and says what to configure', async (_, overrides) => {
    const { response } = await request('/v1/registrations', overrides)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({
      code: 'forbidden',
      detail: expect.stringContaining('SNAPHOOK_API_SECRET'),
    })
  })
})

describe('the API with configured auth', () => {
  test('takes a good token from anywhere', async () => {
    const { response } = await request('/v1/registrations', {
      auth: GOOD_TOKEN,
      peer: '203.0.113.9',
      headers: { host: 'ops.example.com', authorization: 'Bearer good', 'x-forwarded-for': 'a' },
    })
    expect(response.status).toBe(200)
  })

  test('challenges where there is none, on loopback as well', async () => {
    const { response } = await request('/v1/registrations', { auth: GOOD_TOKEN })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 401, code: 'unauthorized' })
  })

  test.each([
    ['a good cookie', { cookie: 'other=1; snaphook_session=good' }, 200],
    ['a bad cookie', { cookie: 'snaphook_session=bad' }, 401],
    [
      'a bad token beside a good cookie',
      { authorization: 'Bearer bad', cookie: 'snaphook_session=good' },
      401,
    ],
  ])('%s', async (_, headers, status) => {
    const { response } = await request('/v1/registrations', { auth: GOOD_TOKEN, headers })
    expect(response.status).toBe(status)
  })

  test('says that a bad one is bad, and no more', async () => {
    const { response } = await request('/v1/registrations', {
      auth: GOOD_TOKEN,
      headers: { authorization: 'Bearer bad' },
    })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 401, code: 'unauthorized' })
  })
})

describe('everything else', () => {
  test.each(['/v1', '/v1/', '/v1/unknown', '/v1/registrations/x', '/%761/registrations'])(
    '%s is guarded before it is looked for',
    async (path) => {
      const { response } = await request(path, { auth: GOOD_TOKEN })
      expect(response.status).toBe(401)
    },
  )

  test.each(['POST', 'HEAD', 'DELETE'])('%s is guarded as well', async (method) => {
    const { response } = await request('/v1/registrations', { auth: GOOD_TOKEN, method })
    expect(response.status).toBe(401)
  })

  test.each(['/', '/unknown', '/callbacks/play.example.com', '//v1/registrations'])(
    '%s is not found',
    async (path) => {
      const { response } = await request(`http://localhost${path}`)
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ status: 404, code: 'not_found' })
    },
  )

  test('a failure is a bare 500, and its message goes to the log', async () => {
    const { response, log } = await request('/readyz', {
      readiness: () => Promise.reject(new Error('disk on fire')),
    })
    expect(response.status).toBe(500)
    const body = await response.text()
    expect(JSON.parse(body)).toMatchObject({ status: 500, code: 'internal_error' })
    expect(body).not.toContain('disk on fire')
    expect(log.lines).toMatchObject([{ level: 'error', fields: { error: 'Error: disk on fire' } }])
    expect(log.lines[0]?.fields).toMatchObject({ frames: expect.any(Array) })
  })
})
