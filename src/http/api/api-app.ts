// Everything under /v1: the endpoints, put together, and the document that describes them. A new
// endpoint is one file and one line here.
import { type Context, Hono } from 'hono'
import { describeBug, describeError, faultCode } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Pictures } from '../../ports/pictures.ts'
import type { EventReading, Streams } from '../../ports/reading.ts'
import type { AuditView, RegistrationView, SinkView } from '../../ports/views.ts'
import type { Env } from '../env.ts'
import type { Feed } from '../feed/feed.ts'
import { createTurns, type Pace } from '../pace.ts'
import { nothingHere, problem } from '../problem.ts'
import { type Endpoint, endpoint, json, NO_PARAMETERS } from './endpoint.ts'
import { eventStreamEndpoint } from './event-stream.ts'
import { eventEndpoints } from './events.ts'
import { imageEndpoint } from './image.ts'
import type { KnownSeqs } from './known-seqs.ts'
import { openApiDocument } from './openapi.ts'
import { stateEndpoints } from './states.ts'
import { streamEndpoint } from './streams.ts'

export type ApiDeps = {
  readonly events: EventReading
  readonly streams: Pick<Streams, 'findStreams'>
  readonly feed: Feed
  readonly known: KnownSeqs
  readonly clock: Clock
  readonly pace: Pace
  readonly pictures: Pictures
  registrations(): readonly RegistrationView[]
  sinks(): Promise<readonly SinkView[]>
  audits(): readonly AuditView[]
  /** Epoch ms. */
  now(): number
  readonly version: string
  readonly log: Log
}

/** The app of the API. Who may ask is decided before it. */
export function createApi(deps: ApiDeps): Hono<Env> {
  // Whoever waits for a page when all ends is cut off by the listener.
  const never = new AbortController().signal
  const endpoints: Endpoint[] = [
    eventStreamEndpoint(deps),
    ...eventEndpoints({ ...deps, inTurn: createTurns(deps.pace, deps.clock, never) }),
    imageEndpoint(deps),
    streamEndpoint(deps),
    ...stateEndpoints(deps),
  ]
  const document = openApiDocument(
    endpoints.map(({ operation }) => operation),
    deps.version,
  )
  endpoints.push(
    endpoint(
      {
        path: '/v1/openapi.json',
        summary: 'This API',
        query: NO_PARAMETERS,
        answer: { status: 200, description: 'OpenAPI 3.1', contentType: 'application/json' },
      },
      () => json(document),
    ),
  )

  const app = new Hono<Env>()
  for (const { operation, handle } of endpoints) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1')
    app.get(path, handle)
    app.all(path, methodNotAllowed)
  }
  app.notFound(nothingHere)
  app.onError((error, c) => failed(error, c, deps.log))
  return app
}

function methodNotAllowed(): Response {
  return problem({
    status: 405,
    code: 'method_not_allowed',
    detail: 'Ask with GET: nothing is changed through this API.',
    headers: { Allow: 'GET, HEAD' },
  })
}

function failed(error: Error, c: Context<Env>, log: Log): Response {
  if (faultCode(error)?.startsWith('store_')) {
    return problem({
      status: 503,
      code: 'store_unavailable',
      detail: `${describeError(error)} Try again in a few seconds.`,
      headers: { 'Retry-After': '5' },
    })
  }
  log.error('a request of the API failed', { path: c.req.path, ...describeBug(error) })
  return problem({
    status: 500,
    code: 'internal_error',
    detail: 'This is a fault of snaphook: its log says more.',
  })
}
