// Signing in: a token becomes a cookie, and pages of other origins sign nobody in or out.
import { describe, expect, test } from 'vitest'
import { createBearerAuth, issueToken } from '../../../src/http/bearer.ts'
import { createSignIn } from '../../../src/http/ops/sign-in.ts'

const SECRET = 'the api secret of the tests, long enough'
const NOW = 1_800_000_000_000
const auth = createBearerAuth({ secret: SECRET, now: () => NOW })
const token = await issueToken(SECRET, { ttlSeconds: 600, nowSeconds: NOW / 1000 })
const HOST = 'wall.example.com'

function post(path: string, headers: Record<string, string> = {}, body?: string, withAuth = true) {
  const app = createSignIn(withAuth ? auth : undefined, () => NOW)
  const request = { method: 'POST', headers: { host: HOST, ...headers }, ...(body && { body }) }
  return app.request(path, request)
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const form = (value: string) => new URLSearchParams({ token: value }).toString()

describe('a good token', () => {
  test('becomes a cookie until its end', async () => {
    const response = await post('/sign-in', FORM, form(token))
    expect(response.status).toBe(204)
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toContain(`snaphook_session=${token};`)
    for (const part of ['Path=/', 'HttpOnly', 'SameSite=Strict', 'Max-Age=600']) {
      expect(cookie).toContain(part)
    }
    expect(cookie).not.toContain('Secure')
  })

  test('that is good for longer than browsers keep a cookie signs in for as long as they do', async () => {
    const long = await issueToken(SECRET, { ttlSeconds: 500 * 86_400, nowSeconds: NOW / 1000 })
    const response = await post('/sign-in', FORM, form(long))
    expect(response.status).toBe(204)
    expect(response.headers.get('set-cookie')).toContain(`Max-Age=${400 * 86_400}`)
  })

  test.each([
    ['the origin', { origin: `https://${HOST}` }],
    ['a proxy', { 'x-forwarded-proto': 'https' }],
    ['a proxy (Forwarded)', { forwarded: 'for=192.0.2.1;proto=https' }],
  ])('is for https alone where %s says so', async (_, headers) => {
    const response = await post('/sign-in', { ...FORM, ...headers }, form(token))
    expect(response.headers.get('set-cookie')).toContain('Secure')
  })

  test('may come as JSON, and a form of a browser leads back to the wall', async () => {
    const json = { 'content-type': 'application/json' }
    expect((await post('/sign-in', json, JSON.stringify({ token }))).status).toBe(204)
    const page = { ...FORM, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' }
    const response = await post('/sign-in', page, form(token))
    expect([response.status, response.headers.get('location')]).toEqual([303, './'])
  })
})

test.each([
  ['nothing', FORM, undefined],
  ['a bad token', FORM, form('bad')],
  ['a token of another secret', FORM, form(`${token.slice(0, -3)}abc`)],
  ['a body that is no JSON', { 'content-type': 'application/json' }, '{'],
  ['a body without end', FORM, form('x'.repeat(20_000))],
])('%s signs nobody in, and is not repeated', async (_, headers, body) => {
  const response = await post('/sign-in', headers, body)
  expect(response.status).toBe(401)
  expect(response.headers.get('set-cookie')).toBeNull()
  expect(await response.json()).toMatchObject({ code: 'invalid_token' })
})

describe.each(['/sign-in', '/sign-out'])('%s', (path) => {
  test.each<[string, Record<string, string>]>([
    ['another origin', { origin: 'https://evil.example.com' }],
    ['an origin that is none', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another origin of the site', { 'sec-fetch-site': 'same-site' }],
    ['another port', { origin: `https://${HOST}:444` }],
  ])('refuses a page of %s', async (_, headers) => {
    const response = await post(path, { ...FORM, ...headers }, form(token))
    expect(response.status).toBe(403)
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(await response.json()).toMatchObject({ code: 'other_origin' })
  })

  test.each<[string, Record<string, string>]>([
    ['itself', { origin: `http://${HOST}` }],
    [
      'itself behind a proxy',
      { origin: 'https://w.example.com', 'x-forwarded-host': 'w.example.com' },
    ],
    ['itself, as the browser says', { 'sec-fetch-site': 'same-origin' }],
    ['no page', {}],
  ])('takes a request of %s', async (_, headers) => {
    expect((await post(path, { ...FORM, ...headers }, form(token))).status).toBe(204)
  })

  test('takes POST alone', async () => {
    const response = await createSignIn(auth, () => NOW).request(path)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

test.each<[string, Record<string, string>, number, string | null]>([
  ['a script of the wall', { 'sec-fetch-mode': 'cors' }, 204, null],
  ['a form of it', { 'sec-fetch-mode': 'navigate' }, 303, './'],
  ['a program', {}, 204, null],
])('signing out by %s takes the cookie away', async (_, headers, status, location) => {
  const site = headers['sec-fetch-mode'] ? { 'sec-fetch-site': 'same-origin' } : {}
  const response = await post('/sign-out', { ...headers, ...site })
  expect([response.status, response.headers.get('location')]).toEqual([status, location])
  expect(response.headers.get('cache-control')).toBe('no-store')
  const cookie = response.headers.get('set-cookie') ?? ''
  // A browser takes a cookie away only by the same path, and with the same attributes.
  expect(cookie).toMatch(/^snaphook_session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict/)
})

test('where no token is configured there is nothing to sign in to', async () => {
  const response = await post('/sign-in', FORM, form(token), false)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ code: 'sign_in_not_configured' })
})
