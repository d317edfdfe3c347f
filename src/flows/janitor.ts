// Keeps the log from growing for ever: what is delivered goes after a while, what is not goes when it
// is too old or when there is no room, and is then missed by name. In small steps, with pauses: the
// appends of callbacks wait while one is made.
import { showDuration } from '../core/duration.ts'
import { describeError } from '../errors.ts'
import type { Clock, EventLog, JanitorMetrics, Log, Pruned, Retention } from '../ports.ts'

/** A look costs next to nothing; a store that grows fast must not grow far beyond its limit. */
const INTERVAL_MS = 1_000
/** What a step should take: callbacks have other things to wait for than this. */
const STEP_SECONDS = { least: 0.004, most: 0.016 }
/** Events of a step: from what is worth a commit to what fits the time on the fastest disks. */
const STEP_EVENTS = { least: 16, first: 128, most: 4_096 }
/** Of the room of the store: more than that and dead letters give way before events do. */
const LETTERS_SHARE = 0.5
/** What expires is said at the beginning, and then this often. */
const SAY_INTERVAL_MS = 3_600_000

export type Janitor = { run(signal: AbortSignal): Promise<void> }

export function createJanitor(parts: {
  store: Retention & Pick<EventLog, 'stats'>
  /** Those that the log is kept for. */
  sinks: readonly string[]
  /** Delivered events are kept for so long. */
  retentionMs: number
  /** Events that are not delivered are kept for so long. */
  retentionMaxMs: number
  /** The store is to take no more than this. */
  maxBytes: number
  /** Told of events that a sink will not get: they are gone up to `seq`. */
  onExpired(sink: string, seq: number): void
  clock: Clock
  metrics: JanitorMetrics
  log: Log
}): Janitor {
  const { store, sinks, retentionMs, retentionMaxMs, maxBytes, clock, metrics, log } = parts
  const unsaid = new Map<string, number>()
  let saidAt = -Infinity
  let stepEvents = STEP_EVENTS.first
  let problem: string | null = null

  /** Removes a little of what may go. Returns how long that took, in seconds; 0: there was nothing. */
  async function step(): Promise<number> {
    const { usedBytes, letterBytes } = await store.usage()
    metrics.storeSize(usedBytes, maxBytes)
    const excessBytes = usedBytes - maxBytes
    if (excessBytes > 0 && letterBytes > LETTERS_SHARE * maxBytes) {
      const pruned = await store.pruneLetters(stepEvents)
      log.warn('no room for so many dead letters: the oldest are gone', { count: pruned.removed })
      return paced(pruned)
    }
    const now = clock.now()
    const pruned = await store.prune({
      deliveredBefore: now - retentionMs,
      anyBefore: now - retentionMaxMs,
      excess: excessBytes > 0 ? await eventsIn(excessBytes, usedBytes) : 0,
      sinks,
      limit: stepEvents,
      at: now,
    })
    for (const { sink, count, toSeq } of pruned.expired) {
      parts.onExpired(sink, toSeq)
      metrics.expired(sink, count)
      unsaid.set(sink, (unsaid.get(sink) ?? 0) + count)
    }
    return paced(pruned)
  }

  /** About how many events take so much of what is used. */
  async function eventsIn(bytes: number, usedBytes: number): Promise<number> {
    const { events } = await store.stats()
    return Math.ceil((events * bytes) / usedBytes)
  }

  function paced({ removed, seconds }: Omit<Pruned, 'expired'>): number {
    if (removed === 0) return 0
    if (seconds > STEP_SECONDS.most) stepEvents = Math.max(STEP_EVENTS.least, stepEvents / 2)
    if (seconds < STEP_SECONDS.least) stepEvents = Math.min(STEP_EVENTS.most, stepEvents * 2)
    return seconds
  }

  function say(): void {
    if (unsaid.size === 0 || clock.elapsed() - saidAt < SAY_INTERVAL_MS) return
    saidAt = clock.elapsed()
    for (const [sink, count] of unsaid) {
      log.error('events have expired: this sink will not get them', {
        sink,
        count,
        why: `older than ${showDuration(retentionMaxMs)}, or no room for them`,
      })
    }
    unsaid.clear()
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        const seconds = await step().catch((error: unknown) => {
          const reason = describeError(error)
          if (reason !== problem)
            log.warn('the log is not pruned, since the store fails', { reason })
          problem = reason
          return undefined
        })
        if (seconds !== undefined) problem = null
        say()
        // At least half of the writer's time is left to callbacks.
        await clock.sleep(seconds ? 2 * seconds * 1_000 : INTERVAL_MS, signal)
      }
    },
  }
}
