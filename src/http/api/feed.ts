// The live events for all that follow them. One read of the log per growth serves everybody; a reader
// that starts further back reads by itself, at its own pace, until it is abreast. Nothing is buffered
// for one that does not keep up: it is cut, and resumes from the store.

import type { Understood } from '../../core/events/callback.ts'
import type { EventFilter } from '../../core/events/event-filter.ts'
import {
  asksBody,
  EVERY_EVENT,
  matchesBody,
  matchesEnvelope,
} from '../../core/events/event-filter.ts'
import { type StoredEvent, understandEvent } from '../../core/events/snapshot-event.ts'
import { describeError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { EventPage, EventReading } from '../../ports/reading.ts'
import { commentFrame, eventFrame, gapFrame, idFrame, RETRY_FRAME } from './frames.ts'

export const MAX_READERS = 1_000
/** What may wait for a reader, in bytes, before it is cut. */
const MAX_WAITING_BYTES = 256 * 1024
const HEARTBEAT_MS = 15_000
/** One read for all, in events and in bytes of bodies. */
const GROWTH = { events: 500, bytes: 256 * 1024 } as const
/** Between two of these reads, in ms: what comes meanwhile goes out with one write to each reader. */
const GROWTH_PAUSE_MS = 20
/** One read for a reader that starts further back, in events and in bytes of bodies. */
const BACKLOG = { events: 200, bytes: 128 * 1024 } as const
/** Readers that read for themselves at once; the others wait for their turn. */
const MAX_BACKLOGS = 8
/** After a store that did not answer. */
const RETRY_MS = 500

/** The connection of one reader. */
export interface Outlet {
  write(text: string | Buffer): void
  /** Bytes that were written and not taken by the network yet. */
  waiting(): number
  /** Resolves when nothing waits, or when it is closed. */
  drained(): Promise<void>
  end(): void
  /** Ends it at once. */
  cut(): void
  /** Aborts when the connection is gone. */
  readonly closed: AbortSignal
}

type Reader = {
  readonly filter: EventFilter
  readonly outlet: Outlet
  /** The log was looked at for it up to here. */
  at: number
  /** The last `id:` that it was sent. */
  lastId: number
}

export type Feed = ReturnType<typeof createFeed>

/** A feed that reads nothing while nobody follows. */
export function createFeed(deps: {
  events: EventReading
  clock: Clock
  log: Log
  readers(count: number): void
  /** Told of each event that is shown to somebody. */
  onShown?(event: StoredEvent): void
  heartbeatMs?: number
}) {
  const { events, clock, log, onShown, heartbeatMs = HEARTBEAT_MS } = deps
  const all = new Set<Reader>()
  /** Those that are abreast of `tail`. */
  const live = new Set<Reader>()
  const stopped = new AbortController()
  let tail = 0
  let reading = false
  let grown = false
  let backlogs = 0
  const queue: (() => void)[] = []
  let heartbeat: NodeJS.Timeout | undefined

  /** Takes a reader in; false if there are too many, or all ends. */
  function follow(filter: EventFilter, after: number | null, outlet: Outlet): boolean {
    if (all.size >= MAX_READERS || stopped.signal.aborted) return false
    const isEvery = Object.values(filter).every((value) => value === null)
    const reader: Reader = {
      filter: isEvery ? EVERY_EVENT : filter,
      outlet,
      at: after ?? -1,
      lastId: after ?? 0,
    }
    all.add(reader)
    deps.readers(all.size)
    heartbeat ??= setInterval(beat, heartbeatMs).unref()
    outlet.closed.addEventListener('abort', () => leave(reader), { once: true })
    outlet.write(RETRY_FRAME)
    void catchUp(reader).catch((error: unknown) => {
      log.warn('a reader of the event stream is cut: the store fails', {
        error: describeError(error),
      })
      outlet.cut()
    })
    return true
  }

  function leave(reader: Reader): void {
    if (!all.delete(reader)) return
    live.delete(reader)
    deps.readers(all.size)
    if (all.size > 0) return
    clearInterval(heartbeat)
    heartbeat = undefined
  }

  async function catchUp(reader: Reader): Promise<void> {
    if (reader.at === -1) reader.at = (await events.logRange()).last
    while (!reader.outlet.closed.aborted) {
      const { at } = reader
      const page = await inTurn(() =>
        events.findEvents({
          ...reader.filter,
          order: 'asc',
          after: at,
          limit: BACKLOG.events,
          maxBytes: BACKLOG.bytes,
        }),
      )
      if (reader.outlet.closed.aborted) return
      noteGap(reader, page)
      // As much as one read gave, and then no more before the network has taken it.
      for (const event of page.events) write(reader, event.seq, frameOf(event))
      reader.at = page.next ?? Math.max(reader.at, page.kept.last)
      // No await from here to the end: the tail must not move in between.
      if (page.next === null && (live.size === 0 || reader.at >= tail)) {
        if (live.size === 0) tail = reader.at
        live.add(reader)
        grow()
        return
      }
      if (reader.outlet.waiting() > 0) await reader.outlet.drained()
    }
  }

  /** What was removed before this reader got it, or never was in this log, is said. */
  function noteGap(reader: Reader, { kept }: EventPage): void {
    const { first, last } = kept
    if (reader.at > last) {
      // A place in another log than this one: nothing that this one holds was sent.
      reader.outlet.write(gapFrame(1, last))
      reader.at = last
    } else if (reader.at < first - 1) {
      reader.outlet.write(gapFrame(reader.at + 1, first - 1))
      reader.at = first - 1
    } else return
    reader.lastId = reader.at
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (backlogs >= MAX_BACKLOGS) await new Promise<void>((resolve) => queue.push(resolve))
    backlogs += 1
    try {
      return await work()
    } finally {
      backlogs -= 1
      queue.shift()?.()
    }
  }

  /** What comes live waits for nobody: whoever does not keep up resumes from the store. */
  function send(reader: Reader, seq: number, frame: string | Buffer): void {
    if (reader.outlet.waiting() > MAX_WAITING_BYTES) reader.outlet.cut()
    else write(reader, seq, frame)
  }

  function write(reader: Reader, seq: number, frame: string | Buffer): void {
    if (seq <= reader.at) return
    reader.outlet.write(frame)
    reader.at = seq
    reader.lastId = seq
  }

  function frameOf(event: StoredEvent): string {
    onShown?.(event)
    return eventFrame(event)
  }

  /** Reads what is new, once for all that are abreast. */
  function grow(): void {
    grown = true
    if (!reading && live.size > 0) void readGrowth()
  }

  async function readGrowth(): Promise<void> {
    reading = true
    while (grown && live.size > 0) {
      grown = false
      const page = await events
        .findEvents({
          ...EVERY_EVENT,
          order: 'asc',
          after: tail,
          limit: GROWTH.events,
          maxBytes: GROWTH.bytes,
        })
        .catch(() => undefined)
      if (page === undefined) {
        // The store fails: what is new is read when it answers again.
        await clock.sleep(RETRY_MS, stopped.signal)
        if (stopped.signal.aborted) break
        grown = true
        continue
      }
      hand(page)
      grown ||= page.next !== null
      if (page.next === null) await clock.sleep(GROWTH_PAUSE_MS, stopped.signal)
    }
    reading = false
  }

  function hand(page: EventPage): void {
    for (const reader of live) if (reader.at <= tail) noteGap(reader, page)
    const frames: string[] = []
    const bodies: Understood[] = []
    const frameAt = (row: number) => {
      frames[row] ??= frameOf(page.events[row] as StoredEvent)
      return frames[row]
    }
    /** What a reader of everything gets, made once for all of them. */
    let whole: Buffer | undefined
    for (const reader of live) {
      const isWhole = reader.filter === EVERY_EVENT && reader.at < (page.events[0]?.seq ?? 0)
      const rows = isWhole ? [...page.events.keys()] : rowsFor(reader, page.events, bodies)
      const last = page.events[rows.at(-1) ?? -1]
      if (last === undefined) continue
      if (isWhole) whole ??= Buffer.from(rows.map(frameAt).join(''))
      send(reader, last.seq, isWhole && whole ? whole : rows.map(frameAt).join(''))
    }
    tail = page.next ?? Math.max(tail, page.kept.last)
    for (const reader of live) reader.at = Math.max(reader.at, tail)
  }

  /** The rows of a page that a reader asked for; bodies are understood once for all readers. */
  function rowsFor(
    { filter, at }: Reader,
    events: readonly StoredEvent[],
    bodies: Understood[],
  ): number[] {
    return events.flatMap((event, row) => {
      if (event.seq <= at || !matchesEnvelope(filter, event)) return []
      if (!asksBody(filter)) return [row]
      bodies[row] ??= understandEvent(event)
      return matchesBody(filter, bodies[row]) ? [row] : []
    })
  }

  /** Also tells a reader of a narrow filter how far it is, so that it resumes from there. */
  function beat(): void {
    for (const reader of all) {
      const isAhead = live.has(reader) && reader.at > reader.lastId
      reader.outlet.write(isAhead ? idFrame(reader.at) : commentFrame())
      if (isAhead) reader.lastId = reader.at
    }
  }

  return {
    follow,
    /** The log has grown. */
    notify: grow,
    count: () => all.size,
    /** Ends every reader in order; none is taken from then on. */
    close(): void {
      stopped.abort()
      clearInterval(heartbeat)
      for (const { outlet } of all) outlet.end()
    },
  }
}
