// Hands events on: one loop per sink, each with its own durable cursor, so that a sink that is down
// holds nobody else up. At least once, in the order of the log: the cursor moves after delivery.
import { nextDelivery } from '../core/delivery.ts'
import { describeError } from '../errors.ts'
import type {
  Clock,
  CursorStore,
  DispatcherMetrics,
  EventLog,
  Log,
  Random,
  Sink,
} from '../ports.ts'

/** A batch is held in memory and delivered again as a whole after a crash. */
const MAX_BATCH = 100
/** The pause after a read or a cursor write that failed; the store has trouble, not the sink. */
const STORE_RETRY_MS = 1_000

type SinkProgress = {
  readonly name: string
  readonly cursor: number
  readonly problem: string | null
}

export type Dispatcher = {
  /** Runs until stopped; one loop per sink. */
  run(): Promise<void>
  /** Says that the log has grown. */
  notify(): void
  progress(): readonly SinkProgress[]
  /** Delivers what is in the log, ends the loops and closes the sinks; `signal` cuts it short. */
  stop(signal: AbortSignal): Promise<void>
}

export function createDispatcher(parts: {
  sinks: readonly Sink[]
  events: Pick<EventLog, 'read'>
  cursors: CursorStore
  clock: Clock
  random: Random
  metrics: DispatcherMetrics
  log: Log
}): Dispatcher {
  const { sinks, events, cursors, clock, random, metrics, log } = parts
  /** After `draining`, what is in the log is delivered once; after `ended`, nothing is begun. */
  const draining = new AbortController()
  const ended = new AbortController()
  let growth = Promise.withResolvers<void>()
  let running: Promise<unknown> = Promise.resolve()
  const progress = new Map(
    sinks.map(({ name }) => [name, { name, cursor: 0, problem: null as string | null }]),
  )

  function notify(): void {
    growth.resolve()
    growth = Promise.withResolvers()
  }

  async function runSink(sink: Sink): Promise<void> {
    const mine = progress.get(sink.name) as { cursor: number; problem: string | null }
    mine.cursor = (await insist(() => cursors.loadCursor(sink.name))) ?? 0
    while (!ended.signal.aborted) {
      const grown = growth.promise
      const batch = (await insist(() => events.read(mine.cursor, MAX_BATCH))) ?? []
      const last = batch.at(-1)
      if (last !== undefined) {
        if (!(await deliver(sink, batch, mine))) return
        await advance(sink, last.seq, mine)
        continue
      }
      if (draining.signal.aborted) return
      await grown
    }
  }

  /** Tries until the sink has the batch; false when stopped first. */
  async function deliver(
    sink: Sink,
    batch: Parameters<Sink['deliver']>[0],
    mine: { problem: string | null },
  ): Promise<boolean> {
    for (let failures = 1; !ended.signal.aborted; failures++) {
      const outcome = await sink.deliver(batch, ended.signal)
      metrics.attempted(sink.name, outcome.kind, batch.length)
      const next = nextDelivery(outcome, failures, random())
      if (next.kind === 'advance') {
        if (mine.problem !== null) log.info('sink delivers again', { sink: sink.name })
        mine.problem = null
        return true
      }
      const reason = outcome.kind === 'failed' ? outcome.reason : 'unknown'
      if (mine.problem !== reason) log.warn('sink fails, retrying', { sink: sink.name, reason })
      mine.problem = reason
      await clock.sleep(next.afterMs, draining.signal)
      if (draining.signal.aborted) return false
    }
    return false
  }

  async function advance(sink: Sink, seq: number, mine: { cursor: number }): Promise<void> {
    mine.cursor = seq
    await insist(() => cursors.advanceCursor(sink.name, seq))
  }

  /** Tries until the store does it; undefined when stopped first. */
  async function insist<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    while (!ended.signal.aborted) {
      try {
        return await attempt()
      } catch (error) {
        log.warn('store fails the dispatcher, retrying', { reason: describeError(error) })
        await clock.sleep(STORE_RETRY_MS, draining.signal)
        if (draining.signal.aborted) return undefined
      }
    }
    return undefined
  }

  return {
    run() {
      running = Promise.all(sinks.map(runSink))
      return running.then(() => undefined)
    },
    notify,
    progress: () => [...progress.values()],
    async stop(signal) {
      signal.addEventListener('abort', () => ended.abort(), { once: true })
      if (signal.aborted) ended.abort()
      draining.abort()
      notify()
      await running
      ended.abort()
      await Promise.all(sinks.map((sink) => sink.close()))
    },
  }
}
