// The control API, which the provider does not have: look at everything, start and stop pushes,
// put faults on the API, and choose how undocumented behaviour turns out.
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { type Fault, readFaults } from './api/faults.ts'
import type { Checked } from './checked.ts'
import type { Configurations } from './configurations.ts'
import { readPushRequest } from './streams/push-request.ts'
import type { Pushes } from './streams/pushes.ts'
import { readSwitches, type Switches } from './switches.ts'

const MAX_REQUEST_BYTES = 64 * 1024
const PUSH_PATH = '/emulator/pushes/:domain/:app/:stream'

/** Everything under `/emulator`. */
export function createControlApp(options: {
  state: () => object
  configurations: Configurations
  pushes: Pushes
  defaultIntervalMs: number
  switches: () => Switches
  setSwitches: (changes: Partial<Switches>) => void
  faults: { list: () => Fault[]; replace: (faults: readonly Fault[]) => void }
}) {
  const { configurations, pushes, faults } = options
  const app = new Hono()
  app.use('/emulator/*', bodyLimit({ maxSize: MAX_REQUEST_BYTES }))

  app.get('/emulator/state', (c) => c.json(options.state()))

  app.get('/emulator/faults', (c) => c.json(faults.list()))
  app.put('/emulator/faults', async (c) => {
    faults.replace(accept(readFaults(await jsonOf(c))))
    return c.json(faults.list())
  })

  app.get('/emulator/switches', (c) => c.json(options.switches()))
  app.put('/emulator/switches', async (c) => {
    options.setSwitches(accept(readSwitches(await jsonOf(c))))
    return c.json(options.switches())
  })

  app.get('/emulator/pushes', (c) => c.json(pushes.list()))
  app.post('/emulator/pushes', async (c) => {
    const request = accept(readPushRequest(await jsonOf(c), options.defaultIntervalMs))
    if (!configurations.knows(request.domain)) {
      return c.json({ error: `unknown domain "${request.domain}"` }, 404)
    }
    return c.json(pushes.start(request, request), 201)
  })
  app.delete(PUSH_PATH, (c) => {
    return pushes.end(nameOf(c.req.param())) ? c.body(null, 204) : c.json(NO_SUCH_PUSH, 404)
  })
  app.post(`${PUSH_PATH}/snapshot`, (c) => {
    const shots = pushes.shootNow(nameOf(c.req.param()))
    return shots ? c.json(shots, 201) : c.json(NO_SUCH_PUSH, 404)
  })

  app.onError((error, c) => {
    const status = error instanceof HTTPException ? error.status : 500
    return c.json({ error: error.message || 'the body is too large' }, status)
  })
  return app
}

const NO_SUCH_PUSH = { error: 'no such push' }

function nameOf(name: { domain: string; app: string; stream: string }) {
  return { ...name, domain: name.domain.toLowerCase() }
}

async function jsonOf(c: Context): Promise<unknown> {
  const text = await c.req.text()
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HTTPException(400, { message: 'the body is not JSON', cause })
  }
}

function accept<T>(checked: Checked<T>): T {
  if (!checked.ok) throw new HTTPException(400, { message: checked.problem })
  return checked.value
}
