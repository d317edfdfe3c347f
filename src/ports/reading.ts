// Looking into the store: events by filter, and the latest shot of each stream. Types only. Nothing
// here writes, and no call holds up an append; each one does a bounded amount of work.
import type { EventFilter } from '../core/events/event-filter.ts'
import type { StoredEvent } from '../core/events/snapshot-event.ts'
import type { StreamState } from '../core/events/stream-state.ts'

export type EventQuery = EventFilter & {
  /** By seq. */
  readonly order: 'asc' | 'desc'
  /** Go on behind this seq, in the order that was asked for; null: from the beginning of it. */
  readonly after: number | null
  /** No event behind this seq; the end of the log where it is absent. */
  readonly upTo?: number
  readonly limit: number
  /** Of bodies; at least one event is taken. */
  readonly maxBytes?: number
}

export type EventPage = {
  readonly events: readonly StoredEvent[]
  /**
   * Where to go on; null if nothing is left. A page may hold fewer events than asked for, or none,
   * and still have a next one: the work of a call is bounded, however little a filter matches.
   */
  readonly next: number | null
  /** What was kept when it was read. */
  readonly kept: LogRange
}

/** The seqs of the oldest and the newest event that are kept; `first` is `last` + 1 if none is. */
export type LogRange = { readonly first: number; readonly last: number }

/** Events that are written in a text, by what they are found by. */
export type Written = { readonly ids: readonly string[]; readonly seqs: readonly number[] }

/** A page as text; the rest is as in `EventPage`. */
type TextPage = Pick<EventPage, 'next' | 'kept'> & { readonly written: Written }

/** The JSON of each event of a page, with commas between them. */
export type JsonPage = TextPage & { readonly json: Uint8Array }

/** A piece of a deflated text that needs nothing of what was before it, and what its text was. */
export type Packed = { readonly bytes: Uint8Array; readonly crc: number; readonly size: number }

/** Events as Server-Sent Events, one after the other, in the forms that were asked for. */
export type Frames = {
  readonly lastSeq: number
  readonly text: Uint8Array | null
  readonly packed: Packed | null
}

/** Which of the events of a page somebody wants, and in which forms. */
export type FramesWanted = {
  readonly filter: EventFilter
  readonly text: boolean
  readonly packed: boolean
}

/** For each who wanted some, in order; null where no event is for them. */
export type FramesPage = TextPage & { readonly parts: readonly (Frames | null)[] }

export interface EventReading {
  findEvents(query: EventQuery): Promise<EventPage>
  /** As `findEvents`; written beside the event loop where the store can. */
  findJson(query: EventQuery): Promise<JsonPage>
  /** One read of the log for all that want of it. */
  findFrames(query: EventQuery, wanted: readonly FramesWanted[]): Promise<FramesPage>
  /** The event with this id, or null. One whose seq is known is found at once. */
  findEvent(id: string, seq?: number): Promise<StoredEvent | null>
  logRange(): Promise<LogRange>
}

/** Where a page of streams ends: a name, or the seq of a latest shot. */
export type StreamPosition =
  | { readonly domain: string; readonly app: string | null; readonly stream: string | null }
  | { readonly seq: number }

export type StreamQuery = {
  readonly domain: string | null
  readonly app: string | null
  readonly state: StreamState | null
  /** A part of `app/stream`, in any case. */
  readonly q: string | null
  /** By name; the most recent shot first; the shot that is longest ago first. */
  readonly order: 'name' | 'recent' | 'stalest'
  readonly after: StreamPosition | null
  readonly limit: number
  /** What states are judged by, epoch ms. */
  readonly now: number
}

/** A stream and its latest shot. Both names are null for what names neither. Times are epoch ms. */
export type StreamSummary = {
  readonly domain: string
  readonly app: string | null
  readonly stream: string | null
  readonly latest: {
    readonly id: string
    readonly seq: number
    readonly bucket: string | null
    readonly endpoint: string | null
    readonly object: string | null
    readonly capturedAt: number | null
    readonly receivedAt: number
  }
  /** Ever kept, whatever retention removed since. */
  readonly events: number
  readonly firstSeenAt: number
  readonly intervalMs: number | null
  /** When it was last heard of: what its state is judged by. */
  readonly seenAt: number
}

export type StreamPage = {
  readonly streams: readonly StreamSummary[]
  readonly next: StreamPosition | null
}

/** The latest shot of each stream, as of the last event in the log; at most 100,000 streams. */
export interface Streams {
  findStreams(query: StreamQuery): Promise<StreamPage>
  /**
   * Counts up to `limit` events that were kept before streams were. Resolves with how long that took
   * and whether some are left.
   */
  fillStreams(limit: number): Promise<{ readonly seconds: number; readonly isMore: boolean }>
}

/** All that looks into a store. */
export interface Reading extends EventReading, Streams {}
