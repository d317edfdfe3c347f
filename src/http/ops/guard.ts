// Who may ask under /v1: whoever has a good bearer token or the cookie of the wall; where none is
// configured, this machine alone.
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { BearerAuth } from '../bearer.ts'
import type { Env } from '../env.ts'
import { problem } from '../problem.ts'

/** HttpOnly: pages never read it. */
export const SESSION_COOKIE = 'snaphook_session'

const LOOPBACK_ADDRESS = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/
/** Any other name could be a page's own, rebound to loopback. */
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/
/** What a proxy adds: behind one on this machine every peer is loopback, whoever asks. */
const FORWARDED = /^(?:forwarded|via|x-real-ip|x-forwarded(?:-.*)?)$/i

/** The refusal of a request, or undefined if it may be answered. */
export type Guard = (c: Context<Env>) => Promise<Response | undefined>

export function createGuard(auth: BearerAuth | undefined): Guard {
  if (auth === undefined) return async (c) => refuseRemote(c)
  return (c) => refuseStranger(c, auth)
}

function refuseRemote(c: Context<Env>): Response | undefined {
  if (isTrueLoopback(c)) return undefined
  return problem({
    status: 403,
    code: 'forbidden',
    detail:
      'This API answers only direct requests from this machine until a bearer token is configured: ' +
      'set SNAPHOOK_API_SECRET or SNAPHOOK_API_JWKS_URL.',
  })
}

function isTrueLoopback(c: Context<Env>): boolean {
  const { host = '', ...others } = c.req.header()
  return (
    LOOPBACK_ADDRESS.test(c.env.incoming.socket.remoteAddress ?? '') &&
    LOOPBACK_HOST.test(host) &&
    !Object.keys(others).some((name) => FORWARDED.test(name))
  )
}

async function refuseStranger(c: Context<Env>, auth: BearerAuth): Promise<Response | undefined> {
  const header = c.req.header('authorization')
  const cookie = getCookie(c, SESSION_COOKIE)
  const given = header ?? (cookie === undefined ? undefined : `Bearer ${cookie}`)
  const verified = given === undefined ? undefined : await auth.verify(given)
  if (verified !== undefined) {
    c.env.tokenEndsAt = verified.expiresAt
    return undefined
  }
  const isBad = header !== undefined || cookie !== undefined
  return problem({
    status: 401,
    code: 'unauthorized',
    detail: isBad
      ? 'The token is not good, or not any more: get a new one with `snaphook token`, or sign in again.'
      : 'Send `Authorization: Bearer TOKEN` (`snaphook token` prints one), or sign in on the wall.',
    headers: { 'WWW-Authenticate': isBad ? 'Bearer error="invalid_token"' : 'Bearer' },
  })
}
