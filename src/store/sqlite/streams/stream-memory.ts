// Streams as one thread remembers them: each shot is counted here, in the order of the log, and
// nothing is written. Synchronous.
import type { DatabaseSync } from 'node:sqlite'
import { type NewEvent, readEvent } from '../../../core/events/snapshot-event.ts'
import { withGap } from '../../../core/events/stream-state.ts'
import { fitName } from '../../../core/printable.ts'
import type { Sighting } from '../messages.ts'

/** The provider's names are shorter. */
const MAX_NAME = 256
/** Streams that are remembered after they were written. */
const MAX_REMEMBERED = 20_000
/** What four bytes hold, in ms: 49 days. */
const MAX_GAP_MS = 2 ** 32 - 1
const UNCHANGED = { isEarlier: false, hasChanged: false } as const
const GAP_BYTES = Uint32Array.BYTES_PER_ELEMENT

/** What streams need of an event beside that. */
export type SeenEvent = Pick<NewEvent, 'domain' | 'origin' | 'receivedAt' | 'occurredAt' | 'body'>

/** A stream as of the last event that was counted. An empty app or stream is one that no body named. */
export type Stream = {
  readonly domain: string
  readonly app: string
  readonly stream: string
  /** Of its rows; null while it has none. */
  id: number | null
  events: number
  /** Of the latest shot, and when that was taken. 0 before the first one. */
  seq: number
  shotAt: number
  /** When it was last heard of, and first. */
  seenAt: number
  firstSeenAt: number
  gaps: readonly number[]
  /** It was first seen before what its rows say. */
  isEarlier: boolean
  /** It is not as its rows say, or as it was when somebody last asked what has changed. */
  hasChanged: boolean
}

type Row = Omit<Stream, 'domain' | 'app' | 'stream' | 'gaps' | 'isEarlier' | 'hasChanged'> & {
  readonly intervalMs: number | null
  readonly gaps: Uint8Array | null
}
type ByName = Map<string, Map<string, Map<string, Stream>>>

export function createStreamMemory(db: DatabaseSync) {
  const select = db.prepare(`
    select id, events, seq, shot_at as shotAt, seen_at as seenAt, first_seen_at as firstSeenAt,
      interval_ms as intervalMs, gaps
    from streams join stream_states using (id) where domain = ? and app = ? and stream = ?
  `)
  const byName: ByName = new Map()
  let size = 0
  let changed: Stream[] = []

  /** Under the names as they come; such as can't be shown lead to the stream that is shown for them. */
  function find(domain: string, app: string, stream: string): Stream {
    const known = byName.get(domain)?.get(app)?.get(stream)
    if (known !== undefined) return known
    const shown = { app: shownName(app), stream: shownName(stream) }
    const isShown = shown.app === app && shown.stream === stream
    const found = isShown ? recall(domain, app, stream) : find(domain, shown.app, shown.stream)
    if (app.length <= MAX_NAME && stream.length <= MAX_NAME) remember(app, stream, found)
    return found
  }

  function remember(app: string, stream: string, found: Stream): void {
    const ofDomain = byName.get(found.domain) ?? new Map<string, Map<string, Stream>>()
    const ofApp = ofDomain.get(app) ?? new Map<string, Stream>()
    byName.set(found.domain, ofDomain.set(app, ofApp.set(stream, found)))
    size += 1
  }

  function recall(domain: string, app: string, stream: string): Stream {
    const row = select.get(domain, app, stream) as Row | undefined
    if (row === undefined) return newStream(domain, app, stream)
    const { intervalMs, gaps, ...rest } = row
    return { domain, app, stream, ...rest, gaps: gapsOf(gaps, intervalMs), ...UNCHANGED }
  }

  return {
    /** Counts an event; what its body says is read from it where nobody has done so. */
    note(event: SeenEvent, seq: number, sighting: Sighting = readEvent(event)): void {
      const { app, stream, capturedAt } = sighting
      const { domain, origin, receivedAt, occurredAt } = event
      const found = find(domain, app ?? '', stream ?? '')
      // No shot is taken after it was told of: a clock that is ahead would else stay the latest.
      const shotAt = Math.min(capturedAt ?? receivedAt, receivedAt)
      // What was listed and not called back says when the stream was there, not that it is.
      const seenAt = origin === 'callback' ? receivedAt : Math.min(occurredAt, receivedAt)
      addShot(found, { seq, shotAt, seenAt })
      if (found.hasChanged) return
      found.hasChanged = true
      changed.push(found)
    },

    /** What has changed since this was last asked. */
    takeChanged(): readonly Stream[] {
      const taken = changed
      for (const stream of taken) stream.hasChanged = false
      changed = []
      return taken
    },

    /** After all was written: more than enough is let go. */
    keepBounded(): void {
      if (size > MAX_REMEMBERED) forget()
    },

    forget,
  }

  function forget(): void {
    byName.clear()
    size = 0
    changed = []
  }
}

/** The gaps of a stream as they are kept. */
export function bytesOfGaps(gaps: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(gaps).buffer)
}

/** Gaps as they were kept; where none were, their median stands for them. */
export function gapsOf(bytes: Uint8Array | null, intervalMs: number | null): number[] {
  if (bytes === null) return intervalMs === null ? [] : [intervalMs, intervalMs, intervalMs]
  return [...new Uint32Array(bytes.slice().buffer, 0, bytes.byteLength / GAP_BYTES)]
}

function newStream(domain: string, app: string, stream: string): Stream {
  const never = { id: null, events: 0, seq: 0, shotAt: 0, seenAt: 0, firstSeenAt: Infinity }
  return { domain, app, stream, ...never, gaps: [], ...UNCHANGED }
}

function addShot(
  to: Stream,
  { seq, shotAt, seenAt }: { seq: number; shotAt: number; seenAt: number },
): void {
  to.events += 1
  if (seenAt > to.seenAt) to.seenAt = seenAt
  if (seenAt < to.firstSeenAt) {
    to.firstSeenAt = seenAt
    to.isEarlier = true
  }
  const isLatest = shotAt > to.shotAt || (shotAt === to.shotAt && seq > to.seq)
  if (to.seq !== 0 && !isLatest) return
  if (to.seq !== 0) to.gaps = withGap(to.gaps, Math.min(shotAt - to.shotAt, MAX_GAP_MS))
  to.seq = seq
  to.shotAt = shotAt
}

function shownName(name: string): string {
  return fitName(name.slice(0, MAX_NAME))
}
