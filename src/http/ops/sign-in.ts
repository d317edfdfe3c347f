// Signing in to the wall: a bearer token becomes a cookie, until the token's end. Forms of other
// origins are refused: nobody is to be signed in, or out, by another page.
import { type Context, Hono } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { BearerAuth } from '../bearer.ts'
import type { Env } from '../env.ts'
import { problem } from '../problem.ts'
import { SESSION_COOKIE } from './guard.ts'

/** Far above a token; browsers keep cookies of up to 4,096 bytes. */
const MAX_BODY_BYTES = 16 * 1024
const MAX_TOKEN = 3_900

/** `POST /sign-in` with a form field, or a JSON member, `token`; `POST /sign-out`. `now` is in epoch ms. */
export function createSignIn(auth: BearerAuth | undefined, now: () => number): Hono<Env> {
  const app = new Hono<Env>()

  app.post('/sign-in', async (c) => {
    if (!isSameOrigin(c)) return otherOrigin()
    if (auth === undefined) {
      return problem({
        status: 404,
        code: 'sign_in_not_configured',
        detail: 'No token is configured: set SNAPHOOK_API_SECRET or SNAPHOOK_API_JWKS_URL.',
      })
    }
    const token = await readToken(c)
    const verified = token === undefined ? undefined : await auth.verify(`Bearer ${token}`)
    if (token === undefined || verified === undefined || token.length > MAX_TOKEN) {
      return problem({
        status: 401,
        code: 'invalid_token',
        detail: 'The token is not good, or not any more: `snaphook token` prints a new one.',
      })
    }
    const left = Math.max(0, Math.floor((verified.expiresAt - now()) / 1_000))
    setCookie(c, SESSION_COOKIE, token, { ...cookieOptions(c), maxAge: Math.min(left, MAX_AGE_S) })
    return done(c)
  })

  app.post('/sign-out', (c) => {
    if (!isSameOrigin(c)) return otherOrigin()
    deleteCookie(c, SESSION_COOKIE, cookieOptions(c))
    return done(c)
  })

  for (const path of ['/sign-in', '/sign-out']) {
    app.all(path, () =>
      problem({
        status: 405,
        code: 'method_not_allowed',
        detail: 'Ask with POST.',
        headers: { Allow: 'POST' },
      }),
    )
  }
  return app
}

/** A browser that sends a form goes back to the wall; a script needs no body. */
function done(c: Context<Env>): Response {
  c.header('Cache-Control', 'no-store')
  const isNavigation = c.req.header('sec-fetch-mode') === 'navigate'
  return isNavigation ? c.redirect('./', 303) : c.body(null, 204)
}

/** 400 days: what browsers allow. */
const MAX_AGE_S = 400 * 86_400

function cookieOptions(c: Context<Env>) {
  return { httpOnly: true, sameSite: 'Strict', path: '/', secure: isHttps(c) } as const
}

/** Behind a proxy that ends TLS, the browser still says where it is. */
function isHttps(c: Context<Env>): boolean {
  const forwarded = c.req.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase()
  const isOrigin = c.req.header('origin')?.startsWith('https://') ?? false
  return isOrigin || forwarded === 'https' || /proto="?https/i.test(c.req.header('forwarded') ?? '')
}

/** What no page can forge decides; older browsers send the origin alone, and programs neither. */
function isSameOrigin(c: Context<Env>): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const origin = c.req.header('origin')
  if (origin === undefined) return true
  const hosts = [c.req.header('host'), c.req.header('x-forwarded-host')]
  return hosts.some((host) => host !== undefined && URL.parse(origin)?.host === host.toLowerCase())
}

function otherOrigin(): Response {
  return problem({
    status: 403,
    code: 'other_origin',
    detail: 'This was sent by a page of another origin: sign in on the wall itself.',
  })
}

async function readToken(c: Context<Env>): Promise<string | undefined> {
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY_BYTES) return undefined
  const text = await readText(c.req.raw.body)
  if (text === undefined) return undefined
  const isJson = c.req.header('content-type')?.startsWith('application/json') ?? false
  const token: unknown = isJson ? tokenIn(text) : new URLSearchParams(text).get('token')
  return typeof token === 'string' && token !== '' ? token.trim() : undefined
}

async function readText(body: ReadableStream<Uint8Array> | null): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function tokenIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { token?: unknown } | null)?.token
  } catch {
    return undefined
  }
}
