// Sinks that keep up all read the same events at the same moment: the log is read once for them, and
// each body is parsed once.
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import type { EventLog } from '../../ports/store.ts'

type Read = {
  readonly after: number
  readonly limit: number
  readonly maxBytes: number | undefined
  readonly events: Promise<StoredEvent[]>
}

export type SharedReads = Pick<EventLog, 'read'> & {
  /** To be called when the log has changed: what was read may not be all. */
  forget(): void
}

/** Keeps the last read, no more: those who are behind read for themselves. */
export function shareReads(log: Pick<EventLog, 'read'>): SharedReads {
  let last: Read | undefined
  return {
    read(after, limit, maxBytes) {
      const isKnown = last?.after === after && last.limit === limit && last.maxBytes === maxBytes
      if (last !== undefined && isKnown) return last.events
      const read: Read = { after, limit, maxBytes, events: log.read(after, limit, maxBytes) }
      last = read
      // All who share a read get its fault; the next one reads the log again.
      read.events.catch(() => {
        if (last === read) last = undefined
      })
      return read.events
    },
    forget() {
      last = undefined
    },
  }
}
