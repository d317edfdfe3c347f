// `GET /v1/events/stream`: events as they come, as Server-Sent Events. Written to Node's own response:
// how much waits for a reader has to be known, and nothing may be buffered for it elsewhere.
import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { z } from 'zod'
import { problem } from '../problem.ts'
import { type Endpoint, endpoint, invalid } from './endpoint.ts'
import { filterOf, filterParameters } from './events.ts'
import type { Feed, Outlet } from './feed.ts'
import { MAX_READERS } from './feed.ts'
import { wholeNumber } from './query.ts'

// If node-server had put its own Response in place before this module was loaded, the mark would be
// such a stand-in, which it writes without a look at the header. To read the body makes it a real one.
void RESPONSE_ALREADY_SENT.body

/** A reader that takes nothing for three comments is gone. */
const SILENCE_MS = 45_000
/** The longest that a timer takes: nobody reads for 24 days without a break. */
const MAX_TIMER_MS = 2 ** 31 - 1
const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  // nginx would keep events back until its buffer is full.
  'X-Accel-Buffering': 'no',
}

/** The endpoint of the live events. */
export function eventStreamEndpoint({ feed, now }: { feed: Feed; now(): number }): Endpoint {
  return endpoint(
    {
      path: '/v1/events/stream',
      summary: 'Events as they come, as Server-Sent Events',
      description:
        'Each `snapshot` has the seq as `id` and the CloudEvent as `data`. Begins with what comes next, or behind `Last-Event-ID` or `after`; what is gone by then is one `gap` with `from` and `to`. A reader that does not keep up is cut and resumes.',
      query: z.object({
        ...filterParameters,
        after: wholeNumber(0, Number.MAX_SAFE_INTEGER)
          .optional()
          .describe('begin behind this seq; `Last-Event-ID` goes before it'),
      }),
      answer: { status: 200, description: 'The events', contentType: 'text/event-stream' },
      problems: { 503: `More than ${MAX_READERS} readers, or the service is stopping` },
    },
    (query, c) => {
      const lastEventId = c.req.header('last-event-id') ?? ''
      if (lastEventId !== '' && !/^\d{1,15}$/.test(lastEventId)) {
        return invalid([{ parameter: 'Last-Event-ID', detail: 'must be a seq' }])
      }
      const after = lastEventId === '' ? (query.after ?? null) : Number(lastEventId)
      if (c.req.method === 'HEAD') return new Response(null, { headers: HEADERS })
      const { outgoing } = c.env as unknown as { outgoing: ServerResponse }
      const outlet = outletOf(outgoing)
      if (!feed.follow(filterOf(query, now()), after, outlet)) {
        return problem({
          status: 503,
          code: 'too_many_readers',
          detail: 'No more readers are taken now: try again in a few seconds.',
          headers: { 'Retry-After': '5' },
        })
      }
      endWithToken(outlet, c.get('tokenEndsAt'), now())
      // The adaptor does not look for this mark in a `Response` of its own kind, which this one is if it
      // was made after a server was: one that was looked into is a plain one.
      void RESPONSE_ALREADY_SENT.body
      return RESPONSE_ALREADY_SENT
    },
  )
}

/** Whoever reads on behind the end of the token signs in again: the reader resumes with a new one. */
function endWithToken({ end, closed }: Outlet, endsAt: number | undefined, now: number): void {
  if (endsAt === undefined) return
  const timer = setTimeout(end, Math.min(Math.max(0, endsAt - now), MAX_TIMER_MS)).unref()
  closed.addEventListener('abort', () => clearTimeout(timer), { once: true })
}

/** A response as the feed writes to it; its head goes out with the first write. */
export function outletOf(response: ServerResponse): Outlet {
  const closed = new AbortController()
  /** Writes that the network has not taken yet, and who waits for that. */
  let under = 0
  let waiters: (() => void)[] = []

  response.once('close', gone)
  // Read by the peer or not: what matters is whether it takes what is sent.
  response.on('error', gone)

  function gone(): void {
    closed.abort()
    settle()
  }

  function settle(): void {
    for (const resolve of waiters) resolve()
    waiters = []
  }

  function taken(): void {
    under -= 1
    if (under === 0) settle()
  }

  return {
    write(text) {
      if (closed.signal.aborted || response.writableEnded) return
      if (!response.headersSent) {
        response.writeHead(200, HEADERS)
        response.socket?.setTimeout(SILENCE_MS)
      }
      under += 1
      response.write(text, taken)
    },
    waiting: () => response.writableLength,
    // Node's own 'drain' comes only after a write that was told to wait.
    drained() {
      if (under === 0 || closed.signal.aborted) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      waiters.push(resolve)
      return promise
    },
    end: () => void response.end(),
    cut: () => void response.destroy(),
    closed: closed.signal,
  }
}
