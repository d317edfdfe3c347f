// `GET /v1/events/stream`: events as they come, as Server-Sent Events, to Node's own response.
import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { z } from 'zod'
import type { Feed } from '../feed/feed.ts'
import { MAX_READERS } from '../feed/feed.ts'
import { HEADERS, type Outlet, outletOf } from '../feed/outlet.ts'
import { problem } from '../problem.ts'
import { type Endpoint, endpoint, invalid } from './endpoint.ts'
import { filterOf, filterParameters } from './events.ts'
import { wholeNumber } from './query.ts'

// If node-server had put its own Response in place before this module was loaded, the mark would be
// such a stand-in, which it writes without a look at the header. To read the body makes it a real one.
void RESPONSE_ALREADY_SENT.body

/** The longest that a timer takes: nobody reads for 24 days without a break. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The endpoint of the live events. */
export function eventStreamEndpoint({ feed, now }: { feed: Feed; now(): number }): Endpoint {
  return endpoint(
    {
      path: '/v1/events/stream',
      summary: 'Events as they come, as Server-Sent Events',
      description:
        'Each `snapshot` has the seq as `id` and the CloudEvent as `data`. Begins with what comes next, or behind `Last-Event-ID` or `after`; what is gone by then is one `gap` with `from` and `to`. A reader that does not keep up is cut and resumes. Packed for whoever accepts gzip.',
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
      const outlet = outletOf(outgoing, takesGzip(c.req.header('accept-encoding')))
      if (!feed.follow(filterOf(query, now()), after, outlet)) {
        return problem({
          status: 503,
          code: 'too_many_readers',
          detail: 'No more readers are taken now: try again in a few seconds.',
          headers: { 'Retry-After': '5' },
        })
      }
      endWithToken(outlet, c.env.tokenEndsAt, now())
      // The adaptor does not look for this mark in a `Response` of its own kind, which this one is if it
      // was made after a server was: one that was looked into is a plain one.
      void RESPONSE_ALREADY_SENT.body
      return RESPONSE_ALREADY_SENT
    },
  )
}

/** Whether an `Accept-Encoding` names gzip, and not with the weight zero. */
function takesGzip(accepted = ''): boolean {
  return accepted.split(',').some((each) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)|$)/i.test(each))
}

/** Whoever reads on behind the end of the token signs in again: the reader resumes with a new one. */
function endWithToken({ end, closed }: Outlet, endsAt: number | undefined, now: number): void {
  if (endsAt === undefined) return
  const timer = setTimeout(end, Math.min(Math.max(0, endsAt - now), MAX_TIMER_MS)).unref()
  closed.addEventListener('abort', () => clearTimeout(timer), { once: true })
}
