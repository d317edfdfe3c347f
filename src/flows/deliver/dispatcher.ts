// Hands events on: each sink has loops, a durable cursor and a back-off of its own, so that one that
// hangs, refuses or is gone holds nobody else up. At least once, in the order of the log.
//
// To be read from here down: `new-events`, `replays` and `redrive` say what is delivered and what is
// kept of it, `deliver-batches` delivers by the rules of core/delivery, `sink-context` is shared.
import type { Sink } from '../../ports/sink.ts'
import { whileOwner } from '../tenure.ts'
import { deliverNewEvents } from './new-events.ts'
import { retryDeadLetters } from './redrive.ts'
import { runReplays } from './replays.ts'
import { shareReads } from './shared-reads.ts'
import {
  createSinkContext,
  type DeliveryDeps,
  newProgress,
  type SinkProgress,
} from './sink-context.ts'
import { createStoreRetry } from './store-retry.ts'

export type Dispatcher = {
  /** Runs until stopped. */
  run(): Promise<void>
  /** To be called when the log has grown. */
  notify(): void
  progress(): readonly Readonly<SinkProgress>[]
  /** To be called when the events up to `seq` are gone, whether a sink has had them or not. */
  expired(sink: string, seq: number): void
  /** Delivers what is in the log, ends the loops and closes the sinks; `signal` cuts it short. */
  stop(signal: AbortSignal): Promise<void>
}

export function createDispatcher(
  deps: DeliveryDeps & { readonly sinks: readonly Sink[] },
): Dispatcher {
  const { sinks, cursors, leases, clock, metrics, log } = deps
  const draining = new AbortController()
  const ended = new AbortController()
  let growth = Promise.withResolvers<void>()
  let running: Promise<unknown> = Promise.resolve()
  const signals = { draining: draining.signal, ended: ended.signal }
  const retry = createStoreRetry({ clock, log })
  const run = { ...signals, grown: () => growth.promise, notify, retry }
  const progress = sinks.map(({ name }) => newProgress(name))
  const events = shareReads(deps.events)

  function notify(): void {
    events.forget()
    growth.resolve()
    growth = Promise.withResolvers()
  }

  /** A sink that was taken out or misspelt shows: nothing waits for it, and nothing is forgotten. */
  async function reportRemoved(): Promise<void> {
    const retryUntilStored = retry({ ...signals, onLeaseLost: () => undefined })
    const known = (await retryUntilStored(() => cursors.listCursors())) ?? []
    for (const { sink, seq } of known) {
      if (progress.some(({ name }) => name === sink)) continue
      log.warn('a sink of this store is not in the settings: its cursor is kept', { sink, seq })
    }
  }

  /** All that is done for a sink is done by its owner. */
  function deliverWhileOwner(sink: Sink, mine: SinkProgress): Promise<void> {
    return whileOwner(leases, `sink:${sink.name}`, draining.signal, async (lease) => {
      // What was read in an earlier tenure may be old.
      events.forget()
      const context = createSinkContext({ ...deps, events }, run, { sink, progress: mine, lease })
      mine.isOwned = true
      const loops = [deliverNewEvents, retryDeadLetters, runReplays]
      await Promise.all(loops.map((loop) => loop(context)))
      mine.isOwned = false
      if (draining.signal.aborted) return
      // How the sink fares is its next owner's to say.
      mine.state = 'ok'
      mine.problem = null
      metrics.sinkState(sink.name, 'ok')
    })
  }

  return {
    run() {
      const owned = sinks.map((sink, n) => deliverWhileOwner(sink, progress[n] as SinkProgress))
      running = Promise.all([reportRemoved(), ...owned])
      return running.then(() => undefined)
    },
    notify,
    progress: () => progress,
    expired(sink, seq) {
      events.forget()
      const mine = progress.find(({ name }) => name === sink)
      if (mine === undefined) return
      mine.cursor = Math.max(mine.cursor, seq)
      mine.expiredUpTo = Math.max(mine.expiredUpTo, seq)
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
