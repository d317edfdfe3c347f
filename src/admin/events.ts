// Events and streams from the store, for the commands; beside a running service or without one.
import type { Overrides } from '../app/overrides.ts'
import { watchStore } from '../app/stores.ts'
import type { Config } from '../config/config.ts'
import type { EventFilter } from '../core/events/event-filter.ts'
import type { StoredEvent } from '../core/events/snapshot-event.ts'
import type { EventReading, StreamQuery, StreamSummary } from '../ports/reading.ts'

/** How often the store is looked into for what is new, in ms. */
const FOLLOW_MS = 500
const PAGE = 500

export type EventSelection = {
  readonly filter: EventFilter
  readonly order: 'asc' | 'desc'
  readonly limit: number
}

/**
 * Hands up to `limit` events to `show`, in the order that was asked for. Resolves with false where
 * there is no store yet.
 */
export function showEvents(
  config: Config,
  overrides: Overrides,
  { filter, order, limit }: EventSelection,
  show: (event: StoredEvent) => void,
): Promise<boolean> {
  return watchStore(config, overrides, false, async (store) => {
    let left = limit
    for (let after: number | null = null; left > 0; ) {
      const page: Awaited<ReturnType<EventReading['findEvents']>> = await store.findEvents({
        ...filter,
        order,
        after,
        limit: Math.min(left, PAGE),
      })
      for (const event of page.events) show(event)
      left -= page.events.length
      if (page.next === null) return
      after = page.next
    }
  })
}

/** Hands the last `limit` events to `show`, and then each as it comes, until `signal` aborts. */
export function followEvents(
  config: Config,
  overrides: Overrides,
  { filter, limit }: Omit<EventSelection, 'order'>,
  { show, signal }: { show(event: StoredEvent): void; signal: AbortSignal },
): Promise<boolean> {
  return watchStore(config, overrides, true, async (store, clock) => {
    const last = await store.findEvents({ ...filter, order: 'desc', after: null, limit })
    for (const event of last.events.toReversed()) show(event)
    let after = last.kept.last
    while (!signal.aborted) {
      const page = await store.findEvents({ ...filter, order: 'asc', after, limit: PAGE })
      for (const event of page.events) show(event)
      after = page.next ?? Math.max(after, page.kept.last)
      if (page.next === null) await clock.sleep(FOLLOW_MS, signal)
    }
  })
}

/** Hands up to `limit` streams to `show`. Resolves with false where there is no store yet. */
export function showStreams(
  config: Config,
  overrides: Overrides,
  query: Omit<StreamQuery, 'after'>,
  show: (stream: StreamSummary) => void,
): Promise<boolean> {
  return watchStore(config, overrides, false, async (store) => {
    const page = await store.findStreams({ ...query, after: null })
    for (const stream of page.streams) show(stream)
  })
}
