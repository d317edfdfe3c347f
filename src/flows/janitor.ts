// Keeps the log from growing for ever: what is delivered goes after a while, what is not goes when it
// is too old or when there is no room, and is then missed by name. In small steps, with pauses: the
// appends of callbacks wait while one is made.
import { showDuration } from '../core/duration.ts'
import { describeError } from '../errors.ts'
import type { Clock, JanitorMetrics, Log, Pruned, Retention } from '../ports.ts'

/** A look costs next to nothing; a store that grows fast must not grow far beyond its limit. */
const INTERVAL_MS = 1_000
const TIGHT_INTERVAL_MS = 100
/** What a step should take: callbacks have other things to wait for than this. */
const STEP_SECONDS = { least: 0.008, most: 0.025 }
/** Events of a step: from what is worth a commit to what fits the time on the fastest disks. */
const STEP_EVENTS = { least: 64, first: 256, most: 4_096 }
/** From this share of the limit on, it is looked at more often. */
const NEARLY = 0.9
/** What expires is said at the beginning, and then this often. */
const SAY_INTERVAL_MS = 3_600_000

export type Janitor = { run(signal: AbortSignal): Promise<void> }

export function createJanitor(parts: {
  store: Retention
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
  let lettersGone = 0
  let saidAt = -Infinity
  let stepEvents = STEP_EVENTS.first
  let problem: string | null = null

  /** Removes a little of what may go. Returns the pause before the next step, in ms. */
  async function step(): Promise<number> {
    const now = clock.now()
    const pruned = await store.prune({
      deliveredBefore: now - retentionMs,
      anyBefore: now - retentionMaxMs,
      maxBytes,
      sinks,
      limit: stepEvents,
      at: now,
    })
    metrics.storeSize(pruned.usedBytes, maxBytes)
    for (const { sink, count, toSeq } of pruned.expired) {
      parts.onExpired(sink, toSeq)
      metrics.expired(sink, count)
      unsaid.set(sink, (unsaid.get(sink) ?? 0) + count)
    }
    if (!pruned.isCrowded) return paced(pruned, pruned.usedBytes > NEARLY * maxBytes)
    const letters = await store.pruneLetters(stepEvents)
    lettersGone += letters.removed
    return paced(letters, true)
  }

  function paced(
    { removed, seconds }: Pick<Pruned, 'removed' | 'seconds'>,
    isTight: boolean,
  ): number {
    const isFull = removed >= stepEvents
    if (removed > 0 && seconds > STEP_SECONDS.most) {
      stepEvents = Math.max(STEP_EVENTS.least, stepEvents / 2)
    }
    if (isFull && seconds < STEP_SECONDS.least) {
      stepEvents = Math.min(STEP_EVENTS.most, stepEvents * 2)
    }
    // At least half of the writer's time is left to callbacks.
    if (isFull) return seconds * 1_000
    return isTight ? TIGHT_INTERVAL_MS : INTERVAL_MS
  }

  function say(): void {
    if ((unsaid.size === 0 && lettersGone === 0) || clock.elapsed() - saidAt < SAY_INTERVAL_MS)
      return
    saidAt = clock.elapsed()
    for (const [sink, count] of unsaid) {
      log.error('events have expired: this sink will not get them', {
        sink,
        count,
        why: `older than ${showDuration(retentionMaxMs)}, or no room for them`,
      })
    }
    if (lettersGone > 0) {
      log.error('no room for so many dead letters: the oldest are gone', { count: lettersGone })
    }
    unsaid.clear()
    lettersGone = 0
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        const pauseMs = await step().then(
          (pause) => {
            problem = null
            return pause
          },
          (error: unknown) => {
            const reason = describeError(error)
            if (reason !== problem)
              log.warn('the log is not pruned, since the store fails', { reason })
            problem = reason
            return INTERVAL_MS
          },
        )
        say()
        await clock.sleep(pauseMs, signal)
      }
    },
  }
}
