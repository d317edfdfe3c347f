// The app of the private listener: health, metrics, the API and the wall. Health and metrics are open
// and hold no secret; what is under /v1 is guarded, whether it is there or not.
import { Hono } from 'hono'
import { showNotifyUrl } from '../../core/registration/notify-url.ts'
import { describeBug } from '../../errors.ts'
import type { Log } from '../../ports/log.ts'
import type { Readiness, RegistrationView } from '../../ports/views.ts'
import type { Env } from '../env.ts'
import { nothingHere, problem } from '../problem.ts'
import type { Guard } from './guard.ts'

/** The private app. */
export function createOpsApp(deps: {
  readiness(): Promise<Readiness> | Readiness
  metrics(): Promise<{ contentType: string; body: string }>
  guard: Guard
  api: Hono<Env>
  signIn: Hono<Env>
  wall: Hono<Env>
  log: Log
}): Hono<Env> {
  const { readiness, metrics, guard, api, signIn, wall, log } = deps
  const app = new Hono<Env>()

  app.get('/healthz', (c) => c.json({ status: 'alive' }))

  app.get('/readyz', async (c) => {
    const state = await readiness()
    const registrations = state.registrations.map(withoutPath)
    return c.json({ ...state, registrations }, state.ready ? 200 : 503)
  })

  app.get('/metrics', async (c) => {
    const { contentType, body } = await metrics()
    return c.body(body, 200, { 'Content-Type': contentType })
  })

  app.use('/v1/*', async (c, next) => (await guard(c)) ?? next())
  app.route('/', api)
  app.route('/', signIn)
  app.route('/', wall)

  app.notFound(nothingHere)

  app.onError((error) => {
    log.error('a request of the operations listener failed', describeBug(error))
    return problem({
      status: 500,
      code: 'internal_error',
      detail: 'This is a fault of snaphook: its log says more.',
    })
  })

  return app
}

/** As anybody may see it: the path of the public URL may be a secret. `/v1/registrations` has it whole. */
function withoutPath(view: RegistrationView): RegistrationView {
  return { ...view, url: showNotifyUrl(view.url) }
}
