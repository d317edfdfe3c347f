// Growth of the log, handed out: one read serves all readers that are abreast, and those of a filter get
// the very same bytes. Nothing is buffered for one that does not keep up: it is cut, and resumes from the
// store.
import { EVERY_EVENT } from '../../core/events/event-filter.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventReading, Frames, FramesPage, Written } from '../../ports/reading.ts'
import type { Pace } from '../pace.ts'
import { type Group, isFor, noteGap, type Reader, wantedBy } from './groups.ts'

/** What may wait for a reader, in bytes, before it is cut. */
const MAX_WAITING_BYTES = 256 * 1024
/** One read for all, in events and in bytes of bodies. */
const GROWTH = { events: 1_000, bytes: 512 * 1024 } as const
/**
 * Between two of these reads, in ms: what comes meanwhile goes out with one write to each reader. Nobody
 * sees so short a delay, and what comes after a silence has none.
 */
export const GROWTH_PAUSE_MS = 100
/** The same where one read did not give all: the network is to take it before more comes. */
const BURST_PAUSE_MS = 10
/** Not all are written to in one go, in ms: callbacks are answered, and handed to the store, in between. */
const TURN_MS = 0.5
/** After a store that did not answer. */
const RETRY_MS = 500

export type Growth = ReturnType<typeof createGrowth>

export function createGrowth(deps: {
  events: Pick<EventReading, 'findFrames'>
  clock: Clock
  pace: Pace
  /** The groups with somebody who is abreast. */
  groups(): Group[]
  onShown?(written: Written): void
  /** For a reader that came while the log was being read: it reads by itself. */
  startAgain(reader: Reader): void
  signal: AbortSignal
}) {
  const { events, clock, pace, onShown, signal } = deps
  /** Those that are abreast of `tail`. */
  const live = new Set<Reader>()
  let tail = 0
  let reading = false
  let grown = false

  /** Reads what is new, once for all that are abreast. */
  function grow(): void {
    grown = true
    if (!reading && live.size > 0) void readGrowth()
  }

  function join(reader: Reader): void {
    live.add(reader)
    reader.group.live.add(reader)
    grow()
  }

  function drop(reader: Reader): void {
    live.delete(reader)
    reader.group.live.delete(reader)
  }

  async function readGrowth(): Promise<void> {
    reading = true
    while (grown && live.size > 0) {
      grown = false
      const after = tail
      const asked = deps.groups()
      const begun = clock.elapsed()
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
        await clock.sleep(RETRY_MS, signal)
        if (signal.aborted) break
        grown = true
        continue
      }
      if (tail !== after) {
        // All had left meanwhile, and others came who begin further on.
        grown = true
        continue
      }
      const readingMs = clock.elapsed() - begun
      const parts = new Map(asked.map((group, n) => [group, page.parts[n] ?? null]))
      const writingMs = await hand(page, parts)
      const isMore = page.next !== null
      grown ||= isMore
      const leastMs = isMore ? BURST_PAUSE_MS : GROWTH_PAUSE_MS
      await pace.pause(readingMs + writingMs, leastMs, signal)
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
      deps.startAgain(reader)
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

  return {
    grow,
    /** Takes in a reader that is at `tail`. */
    join,
    drop,
    has: (reader: Reader) => live.has(reader),
    /** The log was handed out up to here. */
    tail: () => tail,
    isFollowed: () => live.size > 0,
    /** Begins here, where nobody is abreast. */
    begin(last: number): void {
      tail = last
    },
  }
}
