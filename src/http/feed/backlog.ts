// What readers get who start further back than the others: they read the log by themselves, each at its
// own pace. After a restart all of them start at about the same place, so what one has read is kept for a
// while for the next ones.
import type { EventFilter } from '../../core/events/event-filter.ts'
import { EVERY_EVENT } from '../../core/events/event-filter.ts'
import type { EventReading, FramesPage } from '../../ports/reading.ts'

/** One read, in events and in bytes of bodies. */
const BLOCK = { events: 256, bytes: 128 * 1024 } as const
/** Seqs that a block spans: more where a filter leaves most of them out. */
const SPAN = { every: BLOCK.events, filtered: 32 * BLOCK.events } as const
/** Blocks that are kept: a megabyte or two. */
const MAX_KEPT = 16

export type Block = FramesPage & {
  /** Where it ends, if it has no next page. */
  readonly upTo: number
}

export function createBacklog(events: Pick<EventReading, 'findFrames'>) {
  const kept = new Map<string, Promise<Block>>()

  return {
    /** The next frames behind `after`, up to `last` at most, which is in the log. */
    read(filter: EventFilter, after: number, last: number, isPacked: boolean): Promise<Block> {
      const span = filter === EVERY_EVENT ? SPAN.every : SPAN.filtered
      // Blocks end at the same places, wherever somebody began.
      const upTo = Math.min(last, (Math.floor(after / span) + 1) * span)
      const key = JSON.stringify([filter, after, upTo, isPacked])
      const known = kept.get(key)
      if (known !== undefined) return known
      const { events: limit, bytes: maxBytes } = BLOCK
      const query = { ...filter, order: 'asc' as const, after, upTo, limit, maxBytes }
      const wanted = [{ filter: EVERY_EVENT, text: !isPacked, packed: isPacked }]
      const block = events.findFrames(query, wanted).then((page) => ({ ...page, upTo }))
      kept.set(key, block)
      block.catch(() => kept.delete(key))
      if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value as string)
      return block
    },

    /** Keeps nothing any more. */
    forget: () => kept.clear(),
  }
}
