// One page of events that a filter finds: how far it may go, and when it is full.
import { asksBody, type EventFilter, matchesBody } from '../core/events/event-filter.ts'
import { type StoredEvent, understandEvent } from '../core/events/snapshot-event.ts'
import type { EventPage, EventQuery, LogRange } from '../ports/reading.ts'

/** Bodies of one page, in bytes. At least one event is taken. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024
/** A name that JSON can hold in one way only, apart from `\u` escapes and numbers. */
const PLAIN_NAME = /^(?=.*[^\d.+eE-])[^"\\/\p{Cc}\ufffd]+$/u

export type SeqRange = { readonly first: number; readonly last: number }

/** What of `range` is still to be read after the page before. */
export function withoutSeen(
  { first, last }: SeqRange,
  { order, after }: Pick<EventQuery, 'order' | 'after'>,
): SeqRange {
  if (after === null) return { first, last }
  return order === 'asc'
    ? { first: Math.max(first, after + 1), last }
    : { first, last: Math.min(last, after - 1) }
}

/** Gathers a page of `range`, which is read in order. */
export function gatherPage(query: EventQuery, kept: LogRange, { first, last }: SeqRange) {
  const { order, limit, maxBytes = MAX_PAGE_BYTES } = query
  const end = order === 'asc' ? last : first
  const isFiltered = asksBody(query)
  const events: StoredEvent[] = []
  let bytes = 0

  return {
    /** Events that it has room for. */
    room: () => limit - events.length,
    /** Takes an event if it is wanted. The page, when it is full. */
    take(event: StoredEvent): EventPage | undefined {
      if (isFiltered && !matchesBody(query, understandEvent(event))) return undefined
      bytes += event.body.byteLength
      if (events.length > 0 && bytes > Math.min(maxBytes, MAX_PAGE_BYTES)) {
        return { events, kept, next: events.at(-1)?.seq ?? null }
      }
      events.push(event)
      if (events.length < limit) return undefined
      return { events, kept, next: event.seq === end ? null : event.seq }
    },
    /** The page as it is, where all up to `seq` was looked at. */
    upTo: (seq: number): EventPage => ({ events, kept, next: seq === end ? null : seq }),
  }
}

/** Bytes that a body must hold to match, so that most need not be parsed. Null where that can't be told. */
export function partOfBody({ stream, app }: EventFilter): Uint8Array | null {
  const name = [stream, app].find((each) => each !== null && PLAIN_NAME.test(each))
  return name ? Buffer.from(name) : null
}
