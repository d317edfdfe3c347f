// What the loops of one sink share: the sink, how far it is, when to stop, and what they need of the
// world. New events, replays and dead letters that are tried again are a loop each.
import { type BatchSize, FULL_SIZE } from '../../core/delivery/batch-size.ts'
import { confirmedOf, type DeliveryOutcome, type SinkState } from '../../core/delivery/outcome.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import { describeBug } from '../../errors.ts'
import type { Clock, Random } from '../../ports/clock.ts'
import type { DeadLetterStore } from '../../ports/dead-letters.ts'
import type { Lease, Leases } from '../../ports/leases.ts'
import type { Log } from '../../ports/log.ts'
import type { DispatcherMetrics } from '../../ports/metrics.ts'
import type { ReplayStore } from '../../ports/replays.ts'
import type { Sink } from '../../ports/sink.ts'
import type { CursorStore, EventLog } from '../../ports/store.ts'
import type { RetryEnd, RetryUntilStored } from './store-retry.ts'

/** How far a sink is with new events. */
export type SinkProgress = {
  readonly name: string
  cursor: number
  /** Events up to this one have expired before the sink had them. */
  expiredUpTo: number
  state: SinkState
  problem: string | null
  size: BatchSize
  /** Whether this replica is the one that delivers to it. */
  isOwned: boolean
}

export type DeliveryDeps = {
  readonly events: Pick<EventLog, 'read'>
  readonly cursors: CursorStore
  readonly deadLetters: Pick<DeadLetterStore, 'readDeadLetters' | 'changeDeadLetters'>
  readonly replays: Pick<ReplayStore, 'nextReplay' | 'advanceReplay'>
  readonly leases: Leases
  readonly clock: Clock
  readonly random: Random
  readonly metrics: DispatcherMetrics
  readonly log: Log
}

/** When the loops stop, and when they go on; the same for all sinks. */
export type Run = {
  /** From then on what is in the log is delivered once, without waiting. */
  readonly draining: AbortSignal
  /** From then on nothing is begun. */
  readonly ended: AbortSignal
  /** Resolves at the next growth of the log, or when draining begins. */
  grown(): Promise<void>
}

export type SinkContext = DeliveryDeps &
  Run & {
    readonly sink: Sink
    readonly progress: SinkProgress
    /** Fences what is written for the sink. */
    readonly token: string | null
    readonly retryUntilStored: RetryUntilStored
    /** Delivers once, and counts it. Never rejects. */
    attempt(events: readonly StoredEvent[]): Promise<DeliveryOutcome>
  }

export function newProgress(name: string): SinkProgress {
  const state = { state: 'ok', problem: null, size: FULL_SIZE } as const
  return { name, cursor: 0, expiredUpTo: 0, ...state, isOwned: false }
}

/** For one tenure: with the lease all of it ends. */
export function createSinkContext(
  deps: DeliveryDeps,
  run: Run & { notify(): void; retry(end: RetryEnd): RetryUntilStored },
  { sink, progress, lease }: { sink: Sink; progress: SinkProgress; lease: Lease },
): SinkContext {
  const { name } = sink
  const over = new AbortController()
  const lost = AbortSignal.any([lease.lost, over.signal])
  const draining = AbortSignal.any([run.draining, lease.recalled, lost])
  const ended = AbortSignal.any([run.ended, lost])
  // Whoever waits for events learns of it as of a growth.
  draining.addEventListener('abort', run.notify, { once: true })
  /** Logged once: the sink is tried again and again. */
  let lastBug = ''
  function logBug(error: unknown): void {
    const bug = describeBug(error)
    if (bug.error === lastBug) return
    lastBug = bug.error
    deps.log.error('a sink has a fault of its own: please report it', { sink: name, ...bug })
  }

  return {
    ...deps,
    grown: run.grown,
    draining,
    ended,
    sink,
    progress,
    token: lease.token,
    retryUntilStored: run.retry({ draining, ended, onLeaseLost: () => over.abort() }),
    async attempt(events) {
      // Asked right before: a process that was paused learns from its timers too late.
      if (!lease.isHeld()) {
        over.abort()
        return { kind: 'failed', reason: 'another replica may own this sink', strike: false }
      }
      const outcome = await deliver(sink, events, ended, logBug)
      const confirmed = confirmedOf(outcome, events)
      if (confirmed > 0) deps.metrics.attempted(name, 'delivered', confirmed)
      const rest = events.length - confirmed
      if (rest > 0) deps.metrics.attempted(name, outcome.kind, rest)
      return outcome
    },
  }
}

/** A sink that throws has a fault of its own, perhaps over one event: it is taken as broken. */
async function deliver(
  sink: Sink,
  events: readonly StoredEvent[],
  signal: AbortSignal,
  logBug: (error: unknown) => void,
): Promise<DeliveryOutcome> {
  try {
    return await sink.deliver(events, signal)
  } catch (error) {
    logBug(error)
    // Its message may hold a URL.
    const reason = `the sink itself has a fault (${error instanceof Error ? error.name : 'unknown'})`
    return { kind: 'failed', reason, strike: true }
  }
}
