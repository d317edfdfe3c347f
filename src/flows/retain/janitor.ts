// Keeps the log from growing for ever: what is delivered goes after a while, what is not goes when it
// is too old or when there is no room, and is then missed by name. In small steps, with pauses: the
// appends of callbacks wait while one is made.
import { showDuration } from '../../core/duration.ts'
import { faultCode } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Leases } from '../../ports/leases.ts'
import type { Log } from '../../ports/log.ts'
import type { JanitorMetrics } from '../../ports/metrics.ts'
import type { Expired, Pruned, Retention } from '../../ports/retention.ts'
import { createTrouble } from '../fault-log.ts'
import { patientTime } from '../patient-clock.ts'
import { whileOwner } from '../tenure.ts'

/** A look costs next to nothing; a store that grows fast must not grow far beyond its limit. */
const INTERVAL_MS = 1_000
const TIGHT_INTERVAL_MS = 100
/** How long a step should take: callbacks wait while it is made. */
const STEP_SECONDS = { least: 0.008, most: 0.025 }
/** Events of a step: from what is worth a commit to what fits the time on the fastest disks. */
const STEP_EVENTS = { least: 64, first: 256, most: 4_096 }
/** From this share of the limit on, it is looked at more often. */
const NEARLY = 0.9
/** What has expired is logged at once, and then this often. */
const LOG_INTERVAL_MS = 3_600_000

export type Janitor = { run(signal: AbortSignal): Promise<void> }

export function createJanitor(deps: {
  store: Retention
  leases: Leases
  /** Those of our settings. The log is kept for them, and for those of every replica's. */
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
  const { store, leases, retentionMs, retentionMaxMs, maxBytes, clock, metrics, log } = deps
  const unlogged = new Map<string, number>()
  let loggedAt = -Infinity
  let stepEvents = STEP_EVENTS.first
  const time = patientTime(clock)
  const trouble = createTrouble(log, {
    begun: 'the log is not pruned, since the store fails',
    over: 'the log is pruned again',
  })

  /** Removes a little of what may go. Returns the pause before the next step, in ms. */
  async function step(): Promise<number> {
    const now = time()
    // A replica with older settings must not let expire what a new sink lacks.
    const others = leases.peers().flatMap(({ view }) => view.sinks)
    const sinks = [...new Set([...deps.sinks, ...others])]
    const pruned = await store.prune({
      deliveredBefore: now - retentionMs,
      anyBefore: now - retentionMaxMs,
      maxBytes,
      sinks,
      limit: stepEvents,
      at: now,
    })
    metrics.storeSize(pruned.usedBytes, maxBytes)
    for (const each of pruned.expired) {
      // A sink that was taken out finds in the store what it missed; nobody waits for it.
      if (!sinks.includes(each.sink)) continue
      deps.onExpired(each.sink, each.toSeq)
      miss(each)
    }
    if (!pruned.isCrowded) return paced(pruned, pruned.usedBytes > NEARLY * maxBytes)
    const letters = await store.pruneLetters(stepEvents)
    for (const each of letters.expired) miss(each)
    return paced({ ...letters, isMore: true }, true)
  }

  function miss({ sink, count }: Expired): void {
    metrics.expired(sink, count)
    unlogged.set(sink, (unlogged.get(sink) ?? 0) + count)
  }

  function paced(
    { isMore, seconds }: Pick<Pruned, 'isMore' | 'seconds'>,
    isTight: boolean,
  ): number {
    // A step that had to fit a full store may be smaller already, and stays so while it is slow.
    if (seconds > STEP_SECONDS.most && stepEvents > STEP_EVENTS.least) {
      stepEvents = Math.max(STEP_EVENTS.least, stepEvents / 2)
    }
    if (isMore && seconds < STEP_SECONDS.least) {
      stepEvents = Math.min(STEP_EVENTS.most, stepEvents * 2)
    }
    // At least half of the writer's time is left to callbacks.
    if (isMore) return seconds * 1_000
    return isTight ? TIGHT_INTERVAL_MS : INTERVAL_MS
  }

  function logExpired(): void {
    if (unlogged.size === 0 || clock.elapsed() - loggedAt < LOG_INTERVAL_MS) return
    loggedAt = clock.elapsed()
    for (const [sink, count] of unlogged) {
      log.error('events have expired: this sink will not get them', {
        sink,
        count,
        why: `older than ${showDuration(retentionMaxMs)}, or no room for them`,
      })
    }
    unlogged.clear()
  }

  return {
    run: (signal) =>
      whileOwner(leases, 'janitor', signal, (lease) =>
        runSteps(AbortSignal.any([signal, lease.lost])),
      ),
  }

  async function runSteps(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const pauseMs = await step().then(
        (pause) => {
          trouble.passed(store)
          return pause
        },
        (error: unknown) => {
          trouble.met(store, error)
          // What a step writes before it frees anything has to fit, too.
          if (faultCode(error) === 'store_full') stepEvents = Math.max(1, stepEvents / 4)
          return INTERVAL_MS
        },
      )
      logExpired()
      await clock.sleep(pauseMs, until)
    }
  }
}
