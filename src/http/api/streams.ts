// Streams: the latest shot of each.
import { z } from 'zod'
import { STREAM_STATES, streamState } from '../../core/events/stream-state.ts'
import type { StreamSummary, Streams } from '../../ports/reading.ts'
import { readStreamCursor, streamCursor } from './cursors.ts'
import { type Endpoint, endpoint, json } from './endpoint.ts'
import type { KnownSeqs } from './known-seqs.ts'
import { afterParameter, cursorRefused, nextLink, pageAnswer } from './paging.ts'
import { nameParameter, oneOf, wholeNumber } from './query.ts'
import { streamPage } from './schemas.ts'

const MAX_STREAMS = 1_000

/** The endpoint of all streams. */
export function streamEndpoint(deps: {
  streams: Pick<Streams, 'findStreams'>
  known: KnownSeqs
  now(): number
}): Endpoint {
  return endpoint(
    {
      path: '/v1/streams',
      summary: 'The latest shot of each stream',
      description:
        'In the order `name` pages are stable. In the others a stream that gets a shot moves while you page.',
      query: z.object({
        domain: nameParameter.optional().describe('of this streaming domain'),
        app: nameParameter.optional(),
        state: oneOf(STREAM_STATES).optional(),
        q: nameParameter.optional().describe('a part of APP/STREAM, in any case'),
        order: oneOf(['recent', 'name', 'stalest'])
          .default('recent')
          .describe('the most recent shot first, by name, or the shot that is longest ago first'),
        limit: wholeNumber(1, MAX_STREAMS).default(100),
        after: afterParameter,
      }),
      answer: pageAnswer('A page of streams', streamPage),
    },
    async (query, c) => {
      const { order, limit, app = null, state = null, q = null } = query
      const domain = query.domain?.toLowerCase() ?? null
      const after = query.after === undefined ? null : readStreamCursor(order, query.after)
      if (after === undefined) return cursorRefused()
      const now = deps.now()
      const filter = { domain, app, state, q, order, limit, after, now }
      const page = await deps.streams.findStreams(filter)
      for (const { latest } of page.streams) deps.known.note(latest)
      const next = page.next === null ? null : streamCursor(order, page.next)
      const streams = page.streams.map((each) => streamShown(each, now))
      return json({ streams, next }, nextLink(c, next))
    },
  )
}

/** A stream as it is shown, with its state at `now` (epoch ms). */
export function streamShown(summary: StreamSummary, now: number) {
  const { domain, app, stream, latest, events, firstSeenAt, intervalMs, seenAt } = summary
  const { id, seq, bucket, endpoint: oss, object, capturedAt, receivedAt } = latest
  return {
    domain,
    app,
    stream,
    latest: {
      ...{ id, seq, bucket, endpoint: oss, object },
      capturedAt: capturedAt === null ? null : isoOf(capturedAt),
      receivedAt: isoOf(receivedAt),
    },
    events,
    firstSeenAt: isoOf(firstSeenAt),
    intervalSeconds: intervalMs === null ? null : intervalMs / 1_000,
    state: streamState(now - seenAt, intervalMs),
  }
}

function isoOf(time: number): string {
  return new Date(time).toISOString()
}
