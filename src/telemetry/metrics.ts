// What the flows report, turned into the metrics that `definitions.ts` lists, on a registry of their
// own. What only its owner knows is asked for when the metrics are read.
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { CallOutcome, Operation } from '../core/live-operations.ts'
import type {
  AuditMetrics,
  DispatcherMetrics,
  JanitorMetrics,
  ProberMetrics,
  ReceiverMetrics,
  RegistrarMetrics,
  ReplicaMetrics,
  RingMetrics,
  Sample,
} from '../ports/metrics.ts'
import type { Installation } from './definition.ts'
import { METRICS } from './definitions.ts'
import { createInstruments } from './instruments.ts'

export type Metrics = ReceiverMetrics &
  RegistrarMetrics &
  RingMetrics &
  ProberMetrics &
  DispatcherMetrics &
  JanitorMetrics &
  ReplicaMetrics &
  AuditMetrics & {
    apiCall(operation: Operation, outcome: CallOutcome): void
    /** Of the event stream. */
    streamReaders(count: number): void
    commit(commit: { seconds: number; events: number }): void
    /** The exposition: Prometheus text format. */
    render(): Promise<{ contentType: string; body: string }>
  }

type Parts = Installation & {
  /** Epoch ms. */
  now: () => number
  /** May reject, as the store may: then the last values stand. */
  sample: () => Promise<Sample>
}

export function createMetrics({ now, sample, ...installation }: Parts): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const of = createInstruments(METRICS, installation, register)
  const keySeenAt = new Map<string, number>()

  /** Every replica shows the same, whoever owns it: what it was told itself may be long ago. */
  function showOwners(found: Sample['byOwners']): void {
    for (const { domain, state, generation } of found?.registrations ?? []) {
      of.registrationState.set({ domain }, state)
      if (generation !== null) of.generation.set({ domain }, generation)
    }
    for (const { name, state } of found?.sinks ?? []) of.sinkState.set({ sink: name }, state)
    for (const { domain, state, auditedUntil } of found?.audits ?? []) {
      of.auditState.set({ domain }, state)
      const until = auditedUntil === null ? 0 : Date.parse(auditedUntil) / 1_000
      of.auditedUntil.set({ domain }, until)
    }
  }

  return {
    callback(domain, outcome, seconds) {
      of.callbacks.add({ domain, outcome })
      of.duration.observe(seconds)
    },
    verified(domain, key, ageSeconds) {
      of.byKey.add({ domain, key })
      of.age.observe(Math.max(0, ageSeconds))
      of.lastCallback.set({ domain }, now() / 1000)
    },
    flagged(domain, flags) {
      for (const flag of flags) of.flagged.add({ domain, flag })
    },
    lastCallback: (domain, at) => of.lastCallback.set({ domain }, at / 1000),

    registration: (domain, state) => of.registrationState.set({ domain }, state),
    changed: (domain, change) => of.changes.add({ domain, change }),
    keyInForce(domain, generation, seenAt) {
      of.generation.set({ domain }, generation)
      keySeenAt.set(domain, seenAt)
    },
    apiCall: (operation, outcome) => of.apiRequests.add({ operation, outcome }),
    probed: (result) => of.probe.set({}, result),

    streamReaders: (count) => of.streamReaders.set({}, count),
    commit({ seconds, events }) {
      of.commitDuration.observe(seconds)
      if (events > 0) of.commitEvents.observe(events)
    },
    storeSize(usedBytes, maxBytes) {
      of.storeBytes.set({}, usedBytes)
      of.storeMaxBytes.set({}, maxBytes)
    },
    expired: (sink, events) => of.expiredEvents.add({ sink }, events),

    peers: (count) => of.peers.set({}, count),
    taken(task) {
      of.taskOwned.set({ task }, 1)
      of.takeovers.add({ task })
    },
    lost: (task) => of.taskOwned.set({ task }, 0),
    waited: (seconds) => of.storeWait.observe(seconds),
    connected: (isConnected) => of.storeConnected.set({}, isConnected ? 1 : 0),
    keptBy: (kept) => of.durability.set({}, kept),
    failover: () => of.failovers.add({}),

    attempted: (sink, outcome, events) => of.deliveries.add({ sink, outcome }, events),
    sinkState: (sink, state) => of.sinkState.set({ sink }, state),

    auditState: (domain, state) => of.auditState.set({ domain }, state),
    auditedUntil: (domain, at) => of.auditedUntil.set({ domain }, at / 1000),
    missed: (domain, shots) => of.missedShots.add({ domain }, shots),
    filled: (domain, shots) => of.filledShots.add({ domain }, shots),

    async render() {
      for (const [domain, seenAt] of keySeenAt) {
        of.keyAge.set({ domain }, Math.max(0, now() - seenAt) / 1000)
      }
      const sampled = await sample().catch(() => undefined)
      if (sampled !== undefined) {
        of.eventsStored.set({}, sampled.eventsStored)
        for (const [sink, events] of sampled.lagBySink) of.lag.set({ sink }, events)
        for (const [sink, letters] of sampled.deadLettersBySink) {
          of.deadLetters.set({ sink }, letters)
        }
        showOwners(sampled.byOwners)
      }
      return { contentType: register.contentType, body: await register.metrics() }
    },
  }
}
