// Pages of events as text: made once for all who want the same, and beside the event loop where the
// store has a thread to read in.
import { constants, crc32, deflateRawSync } from 'node:zlib'
import type { Understood } from '../core/events/callback.ts'
import { asksBody, matchesBody, matchesEnvelope } from '../core/events/event-filter.ts'
import { eventFrame, eventJson } from '../core/events/event-text.ts'
import { type StoredEvent, understandEvent } from '../core/events/snapshot-event.ts'
import type {
  EventPage,
  EventReading,
  Frames,
  FramesPage,
  FramesWanted,
  JsonPage,
  Packed,
  Written,
} from '../ports/reading.ts'

/** As small as the highest levels make frames, which are much alike, in half of their time. */
const DEFLATE_LEVEL = 3

/** What a store that has no thread of its own reads with. */
export function withTexts(
  findEvents: EventReading['findEvents'],
): Pick<EventReading, 'findJson' | 'findFrames'> {
  return {
    findJson: async (query) => jsonPage(await findEvents(query)),
    findFrames: async (query, wanted) => framesPage(await findEvents(query), wanted),
  }
}

/** A page as JSON. */
export function jsonPage({ events, next, kept }: EventPage): JsonPage {
  const json = encode(events.map(eventJson).join())
  return { json, written: writtenOf(events), next, kept }
}

/** A page as frames: each event is written once, and each text packed once. */
export function framesPage(page: EventPage, wanted: readonly FramesWanted[]): FramesPage {
  const { events, next, kept } = page
  const frames: string[] = []
  const bodies: Understood[] = []
  /** Rows that somebody got. */
  const shown = new Set<number>()

  function partFor({ filter, ...forms }: FramesWanted): Frames | null {
    const rows = rowsFor(filter, events, bodies)
    const last = events[rows.at(-1) ?? -1]
    if (last === undefined) return null
    const text = encode(rows.map(frameAt).join(''))
    return {
      lastSeq: last.seq,
      text: forms.text ? text : null,
      packed: forms.packed ? pack(text) : null,
    }
  }

  function frameAt(row: number): string {
    shown.add(row)
    frames[row] ??= eventFrame(events[row] as StoredEvent)
    return frames[row]
  }

  const parts = wanted.map(partFor)
  return { parts, written: writtenOf(events.filter((_, row) => shown.has(row))), next, kept }
}

/** The rows that a filter asks for; bodies are understood once for all filters. */
function rowsFor(
  filter: FramesWanted['filter'],
  events: readonly StoredEvent[],
  bodies: Understood[],
): number[] {
  return events.flatMap((event, row) => {
    if (!matchesEnvelope(filter, event)) return []
    if (!asksBody(filter)) return [row]
    bodies[row] ??= understandEvent(event)
    return matchesBody(filter, bodies[row]) ? [row] : []
  })
}

/** Ends on a whole byte and refers to nothing before: it fits behind any other piece. */
function pack(text: Uint8Array): Packed {
  const options = { level: DEFLATE_LEVEL, finishFlush: constants.Z_SYNC_FLUSH }
  return { bytes: deflateRawSync(text, options), crc: crc32(text), size: text.byteLength }
}

function writtenOf(events: readonly StoredEvent[]): Written {
  return { ids: events.map(({ id }) => id), seqs: events.map(({ seq }) => seq) }
}

/** Bytes that share their buffer with nothing: they cross threads. */
function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
