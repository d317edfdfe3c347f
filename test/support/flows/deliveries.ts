// Delivers events to a sink as the service does, with the real dispatcher and the real time.

import { systemClock } from '../../../src/app/system-clock.ts'
import { createDispatcher } from '../../../src/flows/deliver/dispatcher.ts'
import type { Sink } from '../../../src/ports/sink.ts'
import { soleOwner } from '../../../src/store/sole-owner.ts'
import { memoryStore } from '../store/memory-store.ts'
import { eventOf } from '../store/store-events.ts'
import { until } from '../until.ts'
import { keptLog } from './flow-fakes.ts'

/** A dispatcher at work on `sink`; it is stopped at the end of an `await using` block. */
export function deliverTo(sink: Sink) {
  const store = memoryStore()
  const log = keptLog()
  const states: string[] = []
  let appended = 0
  const dispatcher = createDispatcher({
    sinks: [sink],
    events: store,
    cursors: store,
    deadLetters: store,
    replays: store,
    leases: soleOwner,
    clock: systemClock,
    // The shortest waits: a server that is back is found soon.
    random: () => 0,
    metrics: {
      attempted: () => undefined,
      sinkState: (_name, state) => void (states.at(-1) !== state && states.push(state)),
    },
    log,
  })
  void dispatcher.run()
  return {
    store,
    log,
    states,
    /** Appends events; their identities are those of `eventOf` from 0 on. */
    async append(count: number): Promise<void> {
      for (let n = 0; n < count; n += 1) await store.append(eventOf(appended++))
      dispatcher.notify()
    },
    delivered: () => store.loadCursor(sink.name),
    state: () => dispatcher.progress()[0],
    async all(): Promise<void> {
      await until(
        'all to be delivered',
        async () => (await store.loadCursor(sink.name)) === appended,
      )
    },
    async [Symbol.asyncDispose]() {
      await dispatcher.stop(AbortSignal.abort())
    },
  }
}

/** Appends `total` events while a server hangs again and again, and waits until all are delivered. */
export async function deliverWhileHanging(
  run: ReturnType<typeof deliverTo>,
  server: { pause(): void; resume(): void },
  total: number,
): Promise<void> {
  for (let part = 0; part < 4; part += 1) {
    const before = await run.delivered()
    await run.append(total / 8)
    await until('some to be delivered', async () => (await run.delivered()) > before)
    server.pause()
    await run.append(total / 8)
    await until('it to be given up', () => run.state()?.state === 'failing')
    server.resume()
  }
  await run.all()
}

/** The first appearance of each, in order: what is left of a list in which repeats are allowed. */
export function withoutRepeats(ids: readonly string[]): string[] {
  return [...new Set(ids)]
}

/** The identities of the first `count` events of `deliverTo`. */
export function identities(count: number): string[] {
  return Array.from({ length: count }, (_, n) => eventOf(n).id)
}
