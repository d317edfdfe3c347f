// Every metric of the service, on a registry of its own. Labels come from closed sets only, never
// from a request; every series exists, at zero, from the start.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { DELIVERY_OUTCOMES, SINK_STATES } from '../core/delivery/delivery.ts'
import { CALLBACK_OUTCOMES, FLAGS } from '../core/events/callback.ts'
import { KEY_ROLES } from '../core/keys/accepted-keys.ts'
import {
  CALL_OUTCOMES,
  type CallOutcome,
  OPERATIONS,
  type Operation,
} from '../core/live-operations.ts'
import { PROBE_RESULTS } from '../core/probe.ts'
import { REGISTRATION_CHANGES, REGISTRATION_STATES } from '../core/registration/registration.ts'
import type {
  DispatcherMetrics,
  JanitorMetrics,
  ProberMetrics,
  ReceiverMetrics,
  RegistrarMetrics,
  RingMetrics,
  Sample,
} from '../ports/metrics.ts'

/** Stands for every domain that is not ours, so that a request can't make series grow. */
const OTHER_DOMAINS = 'other'
/** From an answer out of memory to the store's time-out of 3 s. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
/** From at once, over the provider's last retry after 30 s, to the default skew of 5 min. */
const AGE_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 120, 300]
/** From a callback alone to the longest queue. */
const COMMIT_EVENTS_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]

export type Metrics = ReceiverMetrics &
  RegistrarMetrics &
  RingMetrics &
  ProberMetrics &
  DispatcherMetrics &
  JanitorMetrics & {
    apiCall(operation: Operation, outcome: CallOutcome): void
    commit(commit: { seconds: number; events: number }): void
    /** The exposition: Prometheus text format. */
    render(): Promise<{ contentType: string; body: string }>
  }

export function createMetrics(parts: {
  domains: readonly string[]
  sinks: readonly string[]
  version: string
  /** Epoch ms. */
  now: () => number
  /** May reject, as the store may: then the last values stand. */
  sample: () => Promise<Sample>
}): Metrics {
  const { domains, sinks, now } = parts
  const register = new Registry()
  const registers = [register]
  collectDefaultMetrics({ register })

  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `snaphook_${name}`, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name: `snaphook_${name}`, help, labelNames, registers })
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `snaphook_${name}`, help, buckets, registers })

  const callbacks = counter('callbacks_total', 'Callbacks, by what became of them.', [
    'domain',
    'outcome',
  ])
  const flagged = counter('callbacks_flagged_total', 'Events kept with a flag.', ['domain', 'flag'])
  const byKey = counter('callbacks_by_key_total', 'Callbacks that verified, by the key.', [
    'domain',
    'key',
  ])
  const duration = histogram(
    'callback_duration_seconds',
    'From the headers of a callback to its answer.',
    DURATION_BUCKETS,
  )
  const age = histogram(
    'callback_age_seconds',
    'Age of a callback that verified, by its signed timestamp.',
    AGE_BUCKETS,
  )
  const lastCallback = gauge(
    'last_callback_timestamp_seconds',
    'When the last callback that verified came; 0 for never.',
    ['domain'],
  )
  const registrationState = gauge('registration_state', '1 for the state of a registration.', [
    'domain',
    'state',
  ])
  const changes = counter('registration_changes_total', 'Changes of a registration by us.', [
    'domain',
    'change',
  ])
  const apiRequests = counter('api_requests_total', 'Calls of the provider.', [
    'operation',
    'outcome',
  ])
  const generation = gauge(
    'notify_key_generation',
    'Generation of the notify key in force; -1: foreign.',
    ['domain'],
  )
  const keyAge = gauge(
    'notify_key_age_seconds',
    'Time since this store first saw the notify key in force; 0 while unknown.',
    ['domain'],
  )
  const commitDuration = histogram(
    'store_commit_duration_seconds',
    'Time for one commit to be on disk.',
    DURATION_BUCKETS,
  )
  const commitEvents = histogram(
    'store_commit_events',
    'Events of one commit.',
    COMMIT_EVENTS_BUCKETS,
  )
  const eventsStored = gauge('events_stored', 'Events in the log.', [])
  const storeBytes = gauge('store_bytes', 'What the store holds.', [])
  const storeMaxBytes = gauge('store_max_bytes', 'What the store may hold.', [])
  const expiredEvents = counter(
    'events_expired_total',
    'Events that a sink will not get: too old, or no room for them.',
    ['sink'],
  )
  const lag = gauge('sink_lag_events', 'Events that a sink has not had yet.', ['sink'])
  const deliveries = counter('sink_deliveries_total', 'Events of attempts to deliver.', [
    'sink',
    'outcome',
  ])
  const sinkState = gauge('sink_state', '1 for the state of a sink.', ['sink', 'state'])
  const deadLetters = gauge('dead_letters', 'Events that a sink has refused for good.', ['sink'])
  const probe = gauge(
    'public_url_probe',
    '1 for how the probe through the public URL went after the start.',
    ['result'],
  )
  const buildInfo = gauge('build_info', 'Always 1; the labels tell what runs.', ['version'])

  const keySeenAt = new Map<string, number>()
  buildInfo.set({ version: parts.version }, 1)
  callbacks.inc({ domain: OTHER_DOMAINS, outcome: 'unknown_domain' }, 0)
  for (const domain of domains) {
    for (const outcome of CALLBACK_OUTCOMES) {
      if (outcome !== 'unknown_domain') callbacks.inc({ domain, outcome }, 0)
    }
    for (const flag of FLAGS) flagged.inc({ domain, flag }, 0)
    for (const key of KEY_ROLES) byKey.inc({ domain, key }, 0)
    for (const state of REGISTRATION_STATES) {
      registrationState.set({ domain, state }, state === 'pending' ? 1 : 0)
    }
    for (const change of REGISTRATION_CHANGES) changes.inc({ domain, change }, 0)
    for (const perDomain of [lastCallback, generation, keyAge]) perDomain.set({ domain }, 0)
  }
  for (const result of PROBE_RESULTS) probe.set({ result }, result === 'pending' ? 1 : 0)
  for (const operation of OPERATIONS) {
    for (const outcome of CALL_OUTCOMES) apiRequests.inc({ operation, outcome }, 0)
  }
  for (const sink of sinks) {
    for (const outcome of DELIVERY_OUTCOMES) deliveries.inc({ sink, outcome }, 0)
    lag.set({ sink }, 0)
    for (const state of SINK_STATES) sinkState.set({ sink, state }, state === 'ok' ? 1 : 0)
    deadLetters.set({ sink }, 0)
    expiredEvents.inc({ sink }, 0)
  }

  return {
    callback(domain, outcome, seconds) {
      callbacks.inc({ domain, outcome })
      duration.observe(seconds)
    },
    verified(domain, key, ageSeconds) {
      byKey.inc({ domain, key })
      age.observe(Math.max(0, ageSeconds))
      lastCallback.set({ domain }, now() / 1000)
    },
    flagged(domain, flags) {
      for (const flag of flags) flagged.inc({ domain, flag })
    },
    registration(domain, state) {
      for (const each of REGISTRATION_STATES) {
        registrationState.set({ domain, state: each }, each === state ? 1 : 0)
      }
    },
    lastCallback: (domain, at) => lastCallback.set({ domain }, at / 1000),
    probed(result) {
      for (const each of PROBE_RESULTS) probe.set({ result: each }, each === result ? 1 : 0)
    },
    changed: (domain, change) => changes.inc({ domain, change }),
    keyInForce(domain, inForce, seenAt) {
      generation.set({ domain }, inForce)
      keySeenAt.set(domain, seenAt)
    },
    attempted: (sink, outcome, events) => deliveries.inc({ sink, outcome }, events),
    sinkState(sink, state) {
      for (const each of SINK_STATES) sinkState.set({ sink, state: each }, each === state ? 1 : 0)
    },
    storeSize(usedBytes, maxBytes) {
      storeBytes.set(usedBytes)
      storeMaxBytes.set(maxBytes)
    },
    expired: (sink, events) => expiredEvents.inc({ sink }, events),
    apiCall: (operation, outcome) => apiRequests.inc({ operation, outcome }),
    commit({ seconds, events }) {
      commitDuration.observe(seconds)
      if (events > 0) commitEvents.observe(events)
    },
    async render() {
      for (const [domain, seenAt] of keySeenAt) {
        keyAge.set({ domain }, Math.max(0, now() - seenAt) / 1000)
      }
      const sample = await parts.sample().catch(() => undefined)
      if (sample !== undefined) {
        eventsStored.set(sample.eventsStored)
        for (const [sink, events] of sample.lagBySink) lag.set({ sink }, events)
        for (const [sink, letters] of sample.deadLettersBySink) deadLetters.set({ sink }, letters)
      }
      return { contentType: register.contentType, body: await register.metrics() }
    },
  }
}
