// The API over a store in memory, on a real listener: what tests of requests and answers share.
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { Hono } from 'hono'
import { systemClock } from '../../../src/app/system-clock.ts'
import { createPictures } from '../../../src/cloud/pictures/pictures.ts'
import { understand } from '../../../src/core/events/callback.ts'
import type { ImageSource } from '../../../src/core/events/picture.ts'
import { eventOf, type NewEvent } from '../../../src/core/events/snapshot-event.ts'
import { ServiceError } from '../../../src/errors.ts'
import { createApi } from '../../../src/http/api/api-app.ts'
import { createKnownSeqs } from '../../../src/http/api/known-seqs.ts'
import type { Env } from '../../../src/http/env.ts'
import { createFeed } from '../../../src/http/feed/feed.ts'
import { listen } from '../../../src/http/listen.ts'
import { createPace } from '../../../src/http/pace.ts'
import type { CredentialsProvider } from '../../../src/ports/credentials.ts'
import type { Reading } from '../../../src/ports/reading.ts'
import type { Store } from '../../../src/ports/store.ts'
import { keptLog } from '../flows/flow-fakes.ts'
import { memoryStore } from '../store/memory-store.ts'

export const DOMAIN = 'play.example.com'

/** An event as a callback would bring it. */
export function shotOf(
  fields: Record<string, unknown>,
  { domain = DOMAIN, receivedAt = Date.now() } = {},
): NewEvent {
  const body = Buffer.from(JSON.stringify(fields))
  const timestamp = String(Math.floor(receivedAt / 1000))
  return eventOf({ domain, timestamp, body, receivedAt }, understand(body, domain, receivedAt))
}

const NO_CREDENTIALS: CredentialsProvider = {
  getCredentials: () => Promise.reject(new ServiceError('none found', { code: 'api_credentials' })),
}

export type ApiHere = Awaited<ReturnType<typeof serveApi>>

export async function serveApi(
  options: {
    store?: Store & Reading
    now?: () => number
    heartbeatMs?: number
    images?: ImageSource
    credentials?: CredentialsProvider
    /** When the token of every request ends, epoch ms. */
    tokenEndsAt?: number
  } = {},
) {
  const { store = memoryStore(), now = Date.now, heartbeatMs, images = { kind: 'off' } } = options
  const { credentials = NO_CREDENTIALS, tokenEndsAt } = options
  const log = keptLog()
  const known = createKnownSeqs()
  const counts: number[] = []
  const pace = createPace(systemClock)
  const feed = createFeed({
    events: store,
    clock: systemClock,
    pace,
    log,
    readers: (count) => counts.push(count),
    onShown: known.noteAll,
    ...(heartbeatMs !== undefined && { heartbeatMs }),
  })
  const app = new Hono<Env>()
  app.use(async (c, next) => {
    if (tokenEndsAt !== undefined) c.env.tokenEndsAt = tokenEndsAt
    await next()
  })
  const api = createApi({
    events: store,
    streams: store,
    feed,
    known,
    clock: systemClock,
    pace,
    pictures: createPictures({ source: images, credentials, now }),
    registrations: () => [],
    sinks: async () => [],
    audits: () => [],
    now,
    version: '0.0.0',
    log,
  })
  app.route('/', api)
  const listener = await listen(app, { host: '127.0.0.1', port: 0, log })
  return {
    store,
    feed,
    log,
    counts,
    url: listener.url,
    async append(...events: NewEvent[]) {
      for (const event of events) await store.append(event)
      feed.notify()
    },
    get: (path: string, init?: RequestInit) => fetch(`${listener.url}${path}`, init),
    async [Symbol.asyncDispose]() {
      feed.close()
      await listener.close(200)
      await store.close()
    },
  }
}

const DOCUMENT_ID = 'https://snaphook.test/openapi.json'

type Responses = Record<string, { content?: Record<string, { schema: object }> }>
type Document = {
  readonly paths: Record<string, { get: { responses: Responses } }>
  readonly components: object
}

/** Throws unless an answer is as the document says that this operation answers. */
export function createAnswerCheck({ paths, components }: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ;(addFormats as unknown as (ajv: Ajv2020) => void)(ajv)
  ajv.addSchema({ $id: DOCUMENT_ID, components })
  return (path: string, status: number, contentType: string, body: unknown): void => {
    const schema = paths[path]?.get.responses[status]?.content?.[contentType]?.schema
    if (schema === undefined) throw new Error(`${path} does not say ${status} ${contentType}`)
    const absolute = JSON.stringify(schema).replaceAll('"#/', `"${DOCUMENT_ID}#/`)
    const validate = ajv.compile(JSON.parse(absolute))
    if (!validate(body)) throw new Error(`${path}: ${JSON.stringify(validate.errors)}`)
  }
}
