// The live events for all that follow them. One read of the log per growth serves everybody, and all
// readers of a filter get the very same bytes; a reader that starts further back reads up to where the
// others are. Nothing is buffered for one that does not keep up: it is cut, and resumes from the store.
import { EVERY_EVENT, type EventFilter } from '../../core/events/event-filter.ts'
import { describeError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { EventReading, Frames, FramesPage, LogRange, Written } from '../../ports/reading.ts'
import { createBacklog } from './backlog.ts'
import { commentFrame, gapFrame, idFrame, RETRY_FRAME } from './frames.ts'
import { createGroups, type Group, isFor, type Reader, wantedBy } from './groups.ts'
import type { Outlet } from './outlet.ts'

export const MAX_READERS = 1_000
/** What may wait for a reader, in bytes, before it is cut. */
const MAX_WAITING_BYTES = 256 * 1024
const HEARTBEAT_MS = 15_000
/** One read for all, in events and in bytes of bodies: what comes in a pause when the service is full. */
const GROWTH = { events: 2_000, bytes: 1024 * 1024 } as const
/**
 * Between two of these reads, in ms: what comes meanwhile goes out with one write to each reader. Nobody
 * sees so short a delay, and what comes after a silence has none.
 */
const GROWTH_PAUSE_MS = 100
/** The same where one read did not give all: the network is to take it before more comes. */
const BURST_PAUSE_MS = 10
/** Callbacks come first: to write to all readers takes at most a tenth of the event loop's time … */
const PAUSE_PER_WRITING = 9
/** … and not in one go, in ms: callbacks are answered, and handed to the store, in between. */
const TURN_MS = 0.5
/** No reader waits longer than this. */
const LONGEST_PAUSE_MS = 1_000
/** After a store that did not answer. */
const RETRY_MS = 500

/** Of a reader that begins with what comes next, until it is known where that is. */
const NOWHERE = -1

export type Feed = ReturnType<typeof createFeed>

/** A feed that reads nothing while nobody follows. */
export function createFeed(deps: {
  events: Pick<EventReading, 'findFrames' | 'logRange'>
  clock: Clock
  log: Log
  readers(count: number): void
  /** Told of the events that are shown to somebody. */
  onShown?(written: Written): void
  heartbeatMs?: number
}) {
  const { events, clock, log, onShown, heartbeatMs = HEARTBEAT_MS } = deps
  const all = new Set<Reader>()
  const groups = createGroups()
  /** Those that are abreast of `tail`. */
  const live = new Set<Reader>()
  const backlog = createBacklog(events)
  const stopped = new AbortController()
  let tail = 0
  let reading = false
  let grown = false
  let heartbeat: NodeJS.Timeout | undefined

  /** Takes a reader in; false if there are too many, or all ends. */
  function follow(filter: EventFilter, after: number | null, outlet: Outlet): boolean {
    if (all.size >= MAX_READERS || stopped.signal.aborted) return false
    const reader: Reader = {
      group: groups.enter(filter),
      outlet,
      at: after ?? NOWHERE,
      lastId: after ?? 0,
    }
    all.add(reader)
    deps.readers(all.size)
    heartbeat ??= setInterval(beat, heartbeatMs).unref()
    outlet.closed.addEventListener('abort', () => leave(reader), { once: true })
    if (after !== null) outlet.write(RETRY_FRAME)
    start(reader)
    return true
  }

  function leave(reader: Reader): void {
    if (!all.delete(reader)) return
    drop(reader)
    groups.leave(reader.group)
    deps.readers(all.size)
    if (all.size > 0) return
    backlog.forget()
    clearInterval(heartbeat)
    heartbeat = undefined
  }

  function drop(reader: Reader): void {
    live.delete(reader)
    reader.group.live.delete(reader)
  }

  /** Has a reader read by itself until it is abreast. */
  function start(reader: Reader): void {
    void catchUp(reader).catch((error: unknown) => {
      log.warn('a reader of the event stream is cut: the store fails', {
        error: describeError(error),
      })
      reader.outlet.cut()
    })
  }

  async function catchUp(reader: Reader): Promise<void> {
    const { group, outlet } = reader
    while (!outlet.closed.aborted && !stopped.signal.aborted) {
      if (live.size === 0 || reader.at === NOWHERE || reader.at > tail) {
        const kept = await events.logRange()
        if (outlet.closed.aborted) return
        if (live.size === 0) tail = kept.last
        if (reader.at === NOWHERE) {
          reader.at = kept.last
          // Whoever sees this frame gets all that is kept from now on.
          outlet.write(RETRY_FRAME)
        }
        noteGap(reader, kept)
      }
      // No await from here to the end: the tail must not move in between.
      if (reader.at === tail) {
        live.add(reader)
        group.live.add(reader)
        grow()
        return
      }
      if (reader.at > tail) {
        // It knows of events that the others are about to get.
        grow()
        await clock.sleep(GROWTH_PAUSE_MS, stopped.signal)
        continue
      }
      const block = await backlog.read(group.filter, reader.at, tail, outlet.isPacked)
      if (outlet.closed.aborted) return
      noteGap(reader, block.kept)
      const [frames] = block.parts
      if (frames) {
        onShown?.(block.written)
        outlet.send(frames)
        reader.lastId = frames.lastSeq
      }
      reader.at = Math.max(reader.at, block.next ?? block.upTo)
      // As much as one read gave, and then no more before the network has taken it.
      if (outlet.waiting() > 0) await outlet.drained()
    }
  }

  /** What was removed before this reader got it, or never was in this log, is said. */
  function noteGap(reader: Reader, { first, last }: LogRange): void {
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

  /** Reads what is new, once for all that are abreast. */
  function grow(): void {
    grown = true
    if (!reading && live.size > 0) void readGrowth()
  }

  async function readGrowth(): Promise<void> {
    reading = true
    while (grown && live.size > 0) {
      grown = false
      const after = tail
      const asked = groups.live()
      const page = await events
        .findFrames(
          {
            ...EVERY_EVENT,
            ...{ order: 'asc', after, limit: GROWTH.events, maxBytes: GROWTH.bytes },
          },
          asked.map(wantedBy),
        )
        .catch(() => undefined)
      if (page === undefined) {
        // The store fails: what is new is read when it answers again.
        await clock.sleep(RETRY_MS, stopped.signal)
        if (stopped.signal.aborted) break
        grown = true
        continue
      }
      if (tail !== after) {
        // All had left meanwhile, and others came who begin further on.
        grown = true
        continue
      }
      const parts = new Map(asked.map((group, n) => [group, page.parts[n] ?? null]))
      const writingMs = await hand(page, parts)
      const isMore = page.next !== null
      grown ||= isMore
      const pause = writingMs * PAUSE_PER_WRITING
      const shortest = isMore ? BURST_PAUSE_MS : GROWTH_PAUSE_MS
      const pauseMs = Math.min(Math.max(pause, shortest), LONGEST_PAUSE_MS)
      await clock.sleep(pauseMs, stopped.signal)
    }
    reading = false
  }

  /** Gives each reader its part; resolves with how long that held up the event loop, in ms. */
  async function hand(page: FramesPage, parts: ReadonlyMap<Group, Frames | null>): Promise<number> {
    const upTo = page.next ?? Math.max(tail, page.kept.last)
    if (upTo === tail) return 0
    const readers = [...live]
    // Whoever is abreast from now on has all of this.
    tail = upTo
    onShown?.(page.written)
    let writingMs = 0
    let begun = clock.elapsed()
    for (const reader of readers) {
      if (!live.has(reader)) continue
      handTo(reader, page, parts.get(reader.group))
      const tookMs = clock.elapsed() - begun
      if (tookMs < TURN_MS) continue
      writingMs += tookMs
      await new Promise(setImmediate)
      begun = clock.elapsed()
    }
    return writingMs + clock.elapsed() - begun
  }

  function handTo(reader: Reader, page: FramesPage, frames: Frames | null | undefined): void {
    // It came while the log was being read: what the others get was not made for it.
    if (frames === undefined || (frames !== null && !isFor(reader, frames))) {
      drop(reader)
      start(reader)
      return
    }
    noteGap(reader, page.kept)
    if (frames !== null) send(reader, frames)
    reader.at = tail
  }

  /** What comes live waits for nobody: whoever does not keep up resumes from the store. */
  function send(reader: Reader, frames: Frames): void {
    if (reader.outlet.waiting() > MAX_WAITING_BYTES) {
      reader.outlet.cut()
      return
    }
    reader.outlet.send(frames)
    reader.lastId = frames.lastSeq
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
