// Sinks that are told what to answer, and a dispatcher over a store in memory.

import type { DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'
import { createDispatcher } from '../../../src/flows/deliver/dispatcher.ts'
import type { Sink } from '../../../src/ports/sink.ts'
import { soleOwner } from '../../../src/store/sole-owner.ts'
import { keptLog } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { memoryStore } from '../../support/store/memory-store.ts'

export function fakeSink(name: string) {
  const sink = {
    name,
    had: [] as number[],
    batches: [] as number[],
    answer: (_seqs: number[]): DeliveryOutcome | Promise<DeliveryOutcome> => ({
      kind: 'delivered',
    }),
    closed: false,
    async deliver(events: Parameters<Sink['deliver']>[0], signal: AbortSignal) {
      sink.batches.push(events.length)
      const stopped = Promise.withResolvers<DeliveryOutcome>()
      signal.addEventListener('abort', () => stopped.resolve({ kind: 'failed', reason: 'stopped' }))
      const outcome = await Promise.race([
        sink.answer(events.map(({ seq }) => seq)),
        stopped.promise,
      ])
      if (outcome.kind === 'delivered') sink.had.push(...events.map(({ seq }) => seq))
      return outcome
    },
    check: async () => ({ reachable: true, detail: '' }),
    async close() {
      sink.closed = true
    },
  }
  return sink
}

export function fixture(
  sinks = [fakeSink('a')],
  store = memoryStore(),
  // Nothing but promises is waited for.
  clock = manualClock(undefined, 1),
  leases = soleOwner,
) {
  const log = keptLog()
  const attempts: string[] = []
  const states = new Map<string, string>()
  const dispatcher = createDispatcher({
    sinks,
    events: store,
    cursors: store,
    deadLetters: store,
    replays: store,
    leases,
    clock,
    random: () => 1,
    metrics: {
      attempted: (sink, outcome, events) => attempts.push(`${sink} ${outcome} ${events}`),
      sinkState: (sink, state) => states.set(sink, state),
    },
    log,
  })
  async function append(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      await store.append({
        // Its own, whoever appended the one before.
        id: (await store.stats()).lastSeq.toString(16).padStart(64, '0'),
        domain: 'd',
        origin: 'callback',
        receivedAt: 0,
        occurredAt: 0,
        body: new Uint8Array(),
      })
      dispatcher.notify()
    }
    await clock.settle()
  }
  return { sinks, store, clock, log, attempts, states, dispatcher, append }
}

export const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
export const never = () => AbortSignal.any([])

/** A sink that answers `outcome` to whatever holds one of `seqs`. */
export function pickySink(seqs: number[], outcome: DeliveryOutcome) {
  const sink = fakeSink('a')
  sink.answer = (sent) => (sent.some((seq) => seqs.includes(seq)) ? outcome : { kind: 'delivered' })
  return sink
}
export const without = (last: number, ...missing: number[]) =>
  upTo(last).filter((seq) => !missing.includes(seq))
export const lettersOf = ({ letters }: ReturnType<typeof memoryStore>) =>
  letters.map(({ event, reason, attempts }) => [event.seq, reason, attempts])
export const REJECTED = { kind: 'rejected', reason: 'answered 422' } as const
export const REFUSED = { kind: 'refused', reason: 'answered 401' } as const
export const BROKE = { kind: 'failed', reason: 'answered 500', strike: true } as const
export const DAY_MS = 86_400_000

/** Takes one event after the other until `answer` has another outcome. */
export function steadySink(answer: (seq: number) => DeliveryOutcome, sink = fakeSink('a')) {
  sink.deliver = async (events) => {
    sink.batches.push(events.length)
    for (const [confirmed, { seq }] of events.entries()) {
      const outcome = answer(seq)
      if (outcome.kind !== 'delivered') return { ...outcome, confirmed }
      sink.had.push(seq)
    }
    return { kind: 'delivered' }
  }
  return sink
}
