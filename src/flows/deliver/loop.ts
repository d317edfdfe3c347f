// What the loops of one sink have in common: what they are given, and how far the sink has come.
import type { DeliveryOutcome, SinkState } from '../../core/delivery/delivery.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import type { Clock, Random } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { DispatcherMetrics } from '../../ports/metrics.ts'
import type { Sink } from '../../ports/sink.ts'
import type { CursorStore, DeadLetterStore, EventLog, ReplayStore } from '../../ports/store.ts'

export type SinkProgress = {
  readonly name: string
  cursor: number
  /** What has expired before the sink had it. */
  goneUpTo: number
  state: SinkState
  problem: string | null
}

/** What delivering takes. */
export type Deps = {
  readonly events: Pick<EventLog, 'read'>
  readonly cursors: CursorStore
  readonly deadLetters: Pick<DeadLetterStore, 'readDeadLetters' | 'changeDeadLetters'>
  readonly replays: Pick<ReplayStore, 'nextReplay' | 'advanceReplay'>
  readonly clock: Clock
  readonly random: Random
  readonly metrics: DispatcherMetrics
  readonly log: Log
}

/** What the loops of a sink have in common. */
export type Loop = Deps & {
  readonly sink: Sink
  /** From then on what is in the log is delivered once, without waiting. */
  readonly draining: AbortSignal
  /** From then on nothing is begun. */
  readonly ended: AbortSignal
  /** Resolves at the next growth of the log, or when draining begins. */
  grown(): Promise<void>
  attempt(events: readonly StoredEvent[]): Promise<DeliveryOutcome>
  /** Tries until the store does it; undefined when stopped first. */
  insist<T>(work: () => Promise<T>): Promise<T | undefined>
}
