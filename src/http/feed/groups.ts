// Readers by what they ask for: those of one filter get the very same bytes.
import { EVERY_EVENT, type EventFilter } from '../../core/events/event-filter.ts'
import type { Frames, FramesWanted, LogRange } from '../../ports/reading.ts'
import { gapFrame } from './frames.ts'
import type { Outlet } from './outlet.ts'

/** Of a reader that begins with what comes next, until it is known where that is. */
export const NOWHERE = -1

export type Reader = {
  readonly group: Group
  readonly outlet: Outlet
  /** The log was looked at for it up to here. */
  at: number
  /** The last `id:` that it was sent. */
  lastId: number
}

/** Readers with the same filter. */
export type Group = {
  readonly filter: EventFilter
  /** Those that are abreast. */
  readonly live: Set<Reader>
  readers: number
}

export function createGroups() {
  const groups = new Map<string, Group>()
  return {
    /** The group of one more reader. */
    enter(filter: EventFilter): Group {
      const key = JSON.stringify(filter)
      const isEvery = Object.values(filter).every((value) => value === null)
      const group = groups.get(key) ?? {
        filter: isEvery ? EVERY_EVENT : filter,
        live: new Set(),
        readers: 0,
      }
      group.readers += 1
      groups.set(key, group)
      return group
    },

    /** One reader less. */
    leave(group: Group): void {
      group.readers -= 1
      if (group.readers === 0) groups.delete(JSON.stringify(group.filter))
    },

    /** Those with somebody who is abreast. */
    live: () => [...groups.values()].filter((group) => group.live.size > 0),
  }
}

/** What the live readers of a group want. */
export function wantedBy({ filter, live }: Group): FramesWanted {
  const packed = [...live].filter(({ outlet }) => outlet.isPacked).length
  return { filter, text: packed < live.size, packed: packed > 0 }
}

/** Whether frames are in the form that a reader takes. */
export function isFor({ outlet }: Reader, { text, packed }: Frames): boolean {
  return (outlet.isPacked ? packed : text) !== null
}

/** What was removed before this reader got it, or never was in this log, is said. */
export function noteGap(reader: Reader, { first, last }: LogRange): void {
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
