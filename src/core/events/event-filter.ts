// Which events somebody wants to read. Names are compared as they are shown.
import { fitName } from '../printable.ts'
import type { Flag, Understood } from './callback.ts'
import type { NewEvent } from './snapshot-event.ts'

/** Null narrows nothing. Times are of receipt, in epoch ms. */
export type EventFilter = {
  readonly domain: string | null
  readonly app: string | null
  readonly stream: string | null
  readonly flag: Flag | null
  readonly origin: string | null
  /** Received then or later. */
  readonly since: number | null
  /** Received before then. */
  readonly until: number | null
}

export const EVERY_EVENT: EventFilter = {
  domain: null,
  app: null,
  stream: null,
  flag: null,
  origin: null,
  since: null,
  until: null,
}

/** Whether the filter asks for what only the body shows. */
export function asksBody({ app, stream, flag }: EventFilter): boolean {
  return app !== null || stream !== null || flag !== null
}

/** Whether the body of an event is asked for. */
export function matchesBody(filter: EventFilter, body: Understood): boolean {
  const { app, stream, flag } = filter
  if (app !== null && (body.app === null || fitName(body.app) !== app)) return false
  if (stream !== null && (body.stream === null || fitName(body.stream) !== stream)) return false
  return flag === null || body.flags.includes(flag)
}

/** Whether what the log keeps beside the body is asked for. */
export function matchesEnvelope(
  { domain, origin, since, until }: EventFilter,
  event: Pick<NewEvent, 'domain' | 'origin' | 'receivedAt'>,
): boolean {
  if (domain !== null && event.domain !== domain) return false
  if (origin !== null && event.origin !== origin) return false
  if (since !== null && event.receivedAt < since) return false
  return until === null || event.receivedAt < until
}
