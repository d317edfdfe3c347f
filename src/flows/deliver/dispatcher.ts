// Hands events on: each sink has a loop, a durable cursor and a back-off of its own, so that one that
// hangs, refuses or is gone holds nobody else up. At least once, in the order of the log.
import { confirmedOf, type DeliveryOutcome } from '../../core/delivery/delivery.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import type { Sink } from '../../ports/sink.ts'
import { createTrouble } from '../fault-log.ts'
import type { Deps, Loop, SinkProgress } from './loop.ts'
import { runSink } from './new-events.ts'
import { retryDeadLetters } from './redrive.ts'
import { runReplays } from './replays.ts'

/** The pause after a read or a cursor write that failed; the store has trouble, not the sink. */
const STORE_RETRY_MS = 1_000

export type Dispatcher = {
  /** Runs until stopped. */
  run(): Promise<void>
  /** Says that the log has grown. */
  notify(): void
  progress(): readonly Readonly<SinkProgress>[]
  /** Says that the events up to `seq` are gone, whether a sink has had them or not. */
  expired(sink: string, seq: number): void
  /** Delivers what is in the log, ends the loops and closes the sinks; `signal` cuts it short. */
  stop(signal: AbortSignal): Promise<void>
}

export function createDispatcher(parts: Deps & { readonly sinks: readonly Sink[] }): Dispatcher {
  const { sinks, cursors, clock, metrics, log } = parts
  const draining = new AbortController()
  const ended = new AbortController()
  let growth = Promise.withResolvers<void>()
  let running: Promise<unknown> = Promise.resolve()
  const trouble = createTrouble(log, {
    begun: 'store fails the dispatcher, retrying',
    over: 'store serves the dispatcher again',
  })
  const progress = sinks.map(
    ({ name }): SinkProgress => ({ name, cursor: 0, goneUpTo: 0, state: 'ok', problem: null }),
  )

  function notify(): void {
    growth.resolve()
    growth = Promise.withResolvers()
  }

  async function insist<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!ended.signal.aborted) {
      try {
        const done = await work()
        trouble.passed(work)
        return done
      } catch (error) {
        trouble.met(work, error)
        await clock.sleep(STORE_RETRY_MS, draining.signal)
        if (draining.signal.aborted) return undefined
      }
    }
    return undefined
  }

  /** A sink that throws has a fault of its own, perhaps over one event: it is taken as broken. */
  async function deliver(sink: Sink, events: readonly StoredEvent[]): Promise<DeliveryOutcome> {
    try {
      return await sink.deliver(events, ended.signal)
    } catch (error) {
      // Its message may hold a URL.
      const reason = `the sink itself has a fault (${error instanceof Error ? error.name : 'unknown'})`
      return { kind: 'failed', reason, strike: true }
    }
  }

  function loopOf(sink: Sink): Loop {
    return {
      ...parts,
      sink,
      draining: draining.signal,
      ended: ended.signal,
      grown: () => growth.promise,
      insist,
      async attempt(events) {
        const outcome = await deliver(sink, events)
        const confirmed = confirmedOf(outcome, events)
        if (confirmed > 0) metrics.attempted(sink.name, 'delivered', confirmed)
        const rest = events.length - confirmed
        if (rest > 0) metrics.attempted(sink.name, outcome.kind, rest)
        return outcome
      },
    }
  }

  /** A sink that was taken out or misspelt shows: nothing waits for it, and nothing is forgotten. */
  async function reportRemoved(): Promise<void> {
    const known = (await insist(() => cursors.listCursors())) ?? []
    for (const { sink, seq } of known) {
      if (progress.some(({ name }) => name === sink)) continue
      log.warn('a sink of this store is not in the settings: its cursor is kept', { sink, seq })
    }
  }

  return {
    run() {
      const loops = sinks.map(loopOf)
      running = Promise.all([
        reportRemoved(),
        ...loops.map((loop, index) => runSink(loop, progress[index] as SinkProgress)),
        ...loops.map(retryDeadLetters),
        ...loops.map(runReplays),
      ])
      return running.then(() => undefined)
    },
    notify,
    progress: () => progress,
    expired(sink, seq) {
      const mine = progress.find(({ name }) => name === sink)
      if (mine === undefined) return
      mine.cursor = Math.max(mine.cursor, seq)
      mine.goneUpTo = Math.max(mine.goneUpTo, seq)
    },
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
