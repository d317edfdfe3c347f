// The app of the private listener: health, metrics and the API. Health and metrics are open and
// hold no secret; everything under /v1 takes a bearer token or, where none is configured, answers
// true loopback only.
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { describeError } from '../../errors.ts'
import type { Log } from '../../ports/log.ts'
import type { Readiness, RegistrationView } from '../../ports/views.ts'
import type { BearerAuth } from '../bearer.ts'

type Env = { Bindings: HttpBindings }

const LOOPBACK_ADDRESS = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/
/** Any other name could be a page's own, rebound to loopback. */
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/
const FORWARDED = /^(?:forwarded|x-forwarded-.*)$/i

/** The private app. Without `auth` the API is open to this machine alone. */
export function createOpsApp(deps: {
  readiness(): Promise<Readiness> | Readiness
  metrics(): Promise<{ contentType: string; body: string }>
  registrations(): readonly RegistrationView[]
  auth: BearerAuth | undefined
  log: Log
}): Hono<Env> {
  const { readiness, metrics, registrations, auth, log } = deps
  const app = new Hono<Env>()

  app.get('/healthz', (c) => c.json({ status: 'alive' }))

  app.get('/readyz', async (c) => {
    const state = await readiness()
    return c.json(state, state.ready ? 200 : 503)
  })

  app.get('/metrics', async (c) => {
    const { contentType, body } = await metrics()
    return c.body(body, 200, { 'Content-Type': contentType })
  })

  app.use('/v1/*', async (c, next) => {
    const refusal = auth === undefined ? refuseRemote(c) : await refuseStranger(c, auth)
    if (refusal !== undefined) return refusal
    return next()
  })

  app.get('/v1/registrations', (c) => c.json({ registrations: registrations() }))

  app.notFound((c) => c.json({ error: 'not found' }, 404))

  app.onError((error, c) => {
    log.error('a request of the operations listener failed', { error: describeError(error) })
    return c.json({ error: 'internal error' }, 500)
  })

  return app
}

function refuseRemote(c: Context<Env>): Response | undefined {
  if (isTrueLoopback(c)) return undefined
  const error =
    'this API answers only direct requests from this machine until a bearer token is configured: ' +
    'set SNAPHOOK_API_SECRET or SNAPHOOK_API_JWKS_URL'
  return c.json({ error }, 403)
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
  if (await auth.verify(header)) return undefined
  const challenge = header === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
  return c.json({ error: 'unauthorized' }, 401, { 'WWW-Authenticate': challenge })
}
