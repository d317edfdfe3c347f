// Events, back in time: pages by filter, and one by its id.
import { z } from 'zod'
import { FLAGS } from '../../core/events/callback.ts'
import { ORIGINS, toCloudEvent } from '../../core/events/snapshot-event.ts'
import type { EventReading } from '../../ports/reading.ts'
import { problem } from '../problem.ts'
import { eventCursor, readEventCursor } from './cursors.ts'
import { type Endpoint, endpoint, invalid, json, NO_PARAMETERS, written } from './endpoint.ts'
import type { KnownSeqs } from './known-seqs.ts'
import { afterParameter, cursorRefused, nextLink, pageAnswer } from './paging.ts'
import { nameParameter, oneOf, timeOf, timeParameter, wholeNumber } from './query.ts'
import { cloudEvent, eventPage } from './schemas.ts'

const MAX_EVENTS = 1_000

/** Also those of the event stream. */
export const filterParameters = {
  domain: nameParameter.optional().describe('of this streaming domain'),
  app: nameParameter.optional(),
  stream: nameParameter.optional(),
  flag: oneOf(FLAGS).optional().describe('with this flag'),
  origin: oneOf(ORIGINS).optional(),
  since: timeParameter
    .optional()
    .describe('received then or later: RFC 3339, or `2h` for two hours ago'),
  until: timeParameter.optional().describe('received before then'),
}

type Filters = z.output<z.ZodObject<typeof filterParameters>>

/** The filter that a request asks for. */
export function filterOf(query: Filters, now: number) {
  return {
    domain: query.domain?.toLowerCase() ?? null,
    app: query.app ?? null,
    stream: query.stream ?? null,
    flag: query.flag ?? null,
    origin: query.origin ?? null,
    since: timeOf(query.since, now),
    until: timeOf(query.until, now),
  }
}

export const eventIdParameter = z.string().describe('the id of the event')

/** The endpoints of events back in time. */
export function eventEndpoints(deps: {
  events: EventReading
  known: KnownSeqs
  /** For pages: one at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  now(): number
}): Endpoint[] {
  const { events, known, inTurn, now } = deps
  const list = endpoint(
    {
      path: '/v1/events',
      summary: 'Events back in time',
      description: 'Pages are stable: new events never shift them.',
      query: z.object({
        ...filterParameters,
        order: oneOf(['desc', 'asc']).default('desc').describe('the newest first, or the oldest'),
        limit: wholeNumber(1, MAX_EVENTS).default(100),
        after: afterParameter,
      }),
      answer: pageAnswer('A page of events', eventPage),
    },
    async (query, c) => {
      const filter = filterOf(query, now())
      const { order, limit } = query
      if (filter.since !== null && filter.until !== null && filter.since >= filter.until) {
        return invalid([{ parameter: 'until', detail: 'must be later than since' }])
      }
      const after = query.after === undefined ? null : readEventCursor(order, query.after)
      if (after === undefined) return cursorRefused()
      const page = await inTurn(() => events.findJson({ ...filter, order, limit, after }))
      known.noteAll(page.written)
      const next = page.next === null ? null : eventCursor(order, page.next)
      const body = [`{"events":[`, page.json, `],"next":${JSON.stringify(next)}}`]
      return written(Buffer.concat(body.map((part) => Buffer.from(part))), nextLink(c, next))
    },
  )
  const one = endpoint(
    {
      path: '/v1/events/{id}',
      summary: 'One event',
      inPath: { id: eventIdParameter },
      query: NO_PARAMETERS,
      answer: {
        status: 200,
        description: 'The event',
        contentType: 'application/json',
        form: cloudEvent,
      },
      problems: { 404: 'It is not in the log, or not any more' },
    },
    async (_query, c) => {
      const event = await findEvent(deps, c.req.param('id') ?? '')
      return event === null ? eventNotFound() : json(toCloudEvent(event))
    },
  )
  return [list, one]
}

/** The event with an id, or null. */
export async function findEvent(
  { events, known }: { events: EventReading; known: KnownSeqs },
  id: string,
) {
  if (!/^[0-9a-f]{64}$/.test(id)) return null
  return events.findEvent(id, known.get(id))
}

export function eventNotFound(): Response {
  return problem({
    status: 404,
    code: 'event_not_found',
    detail:
      'No event with this id is kept: retention may have removed it. /v1/events lists what is.',
  })
}
