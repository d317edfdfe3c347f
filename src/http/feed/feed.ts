// The live events for all that follow them. A reader that starts further back reads up to where the others
// are (catch-up.ts); from then on all get what is new together (growth.ts).
import type { EventFilter } from '../../core/events/event-filter.ts'
import { describeError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { EventReading, Written } from '../../ports/reading.ts'
import type { Pace } from '../pace.ts'
import { createCatchUp } from './catch-up.ts'
import { commentFrame, idFrame, RETRY_FRAME } from './frames.ts'
import { createGroups, NOWHERE, type Reader } from './groups.ts'
import { createGrowth } from './growth.ts'
import type { Outlet } from './outlet.ts'

export const MAX_READERS = 1_000
const HEARTBEAT_MS = 15_000

export type Feed = ReturnType<typeof createFeed>

/** A feed that reads nothing while nobody follows. */
export function createFeed(deps: {
  events: Pick<EventReading, 'findFrames' | 'logRange'>
  clock: Clock
  pace: Pace
  log: Log
  readers(count: number): void
  /** Told of the events that are shown to somebody. */
  onShown?(written: Written): void
  heartbeatMs?: number
}) {
  const { log, heartbeatMs = HEARTBEAT_MS } = deps
  const all = new Set<Reader>()
  const groups = createGroups()
  const stopped = new AbortController()
  const { signal } = stopped
  const growth = createGrowth({ ...deps, groups: groups.live, startAgain: start, signal })
  const { catchUp, forget } = createCatchUp({ ...deps, growth, signal })
  let heartbeat: NodeJS.Timeout | undefined

  /** Takes a reader in; false if there are too many, or all ends. */
  function follow(filter: EventFilter, after: number | null, outlet: Outlet): boolean {
    if (all.size >= MAX_READERS || signal.aborted) return false
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
    growth.drop(reader)
    groups.leave(reader.group)
    deps.readers(all.size)
    if (all.size > 0) return
    forget()
    clearInterval(heartbeat)
    heartbeat = undefined
  }

  function start(reader: Reader): void {
    void catchUp(reader).catch((error: unknown) => {
      log.warn('a reader of the event stream is cut: the store fails', {
        error: describeError(error),
      })
      reader.outlet.cut()
    })
  }

  /** Also tells a reader of a narrow filter how far it is, so that it resumes from there. */
  function beat(): void {
    for (const reader of all) {
      const isAhead = growth.has(reader) && reader.at > reader.lastId
      reader.outlet.write(isAhead ? idFrame(reader.at) : commentFrame())
      if (isAhead) reader.lastId = reader.at
    }
  }

  return {
    follow,
    /** The log has grown. */
    notify: growth.grow,
    count: () => all.size,
    /** Ends every reader in order; none is taken from then on. */
    close(): void {
      stopped.abort()
      clearInterval(heartbeat)
      for (const { outlet } of all) outlet.end()
    },
  }
}
