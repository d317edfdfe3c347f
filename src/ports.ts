// What the flows need of the world, in the flows' words. Types only.

import type { KeyRole } from './core/accepted-keys.ts'
import type { CallbackOutcome, Flag } from './core/callback.ts'
import type { DeliveryOutcome, SinkState } from './core/delivery.ts'
import type { Observed } from './core/observation.ts'
import type { ProbeResult } from './core/probe.ts'
import type { Registration, RegistrationChange, RegistrationState } from './core/registration.ts'
import type { StoredEvent } from './core/snapshot-event.ts'

export type * from './store-ports.ts'

export interface Clock {
  /** Epoch milliseconds: for what is compared with others or outlives the process. It may jump. */
  now(): number
  /** Milliseconds from some moment on, never backwards: for how long something takes. */
  elapsed(): number
  /** Resolves after `ms`, or as soon as `signal` aborts; it never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** A number from 0 up to 1, for jitter. */
export type Random = () => number

/** Whether a change that was decided on some time ago is still to be made. Never rejects. */
export type IsStill = () => Promise<boolean>

/**
 * The provider's API. Each call is paced and made once; it rejects with a `ServiceError` whose code
 * begins with `api_`, or `aborted`. One that changes something asks `isStill` first where it had to
 * wait long for its turn; where that says no, it is not made, and rejects with `outdated`.
 */
export interface LiveApi {
  describe(domain: string, signal: AbortSignal): Promise<Observed>
  add(
    domain: string,
    registration: Registration,
    signal: AbortSignal,
    isStill?: IsStill,
  ): Promise<void>
  update(
    domain: string,
    registration: Registration,
    signal: AbortSignal,
    isStill?: IsStill,
  ): Promise<void>
  /** Resolves also where there was nothing to delete. */
  remove(domain: string, signal: AbortSignal, isStill?: IsStill): Promise<void>
}

/** One app's snapshot template, as far as it concerns callbacks. */
export type SnapshotConfig = {
  readonly app: string
  /** Where this app sends its callbacks by itself, past the domain's registration; null: nowhere. */
  readonly callbackUrl: string | null
}

/** What only `doctor` asks the provider; it rejects as `LiveApi` does. */
export interface LiveInspection {
  snapshotConfigs(domain: string, signal: AbortSignal): Promise<SnapshotConfig[]>
}

export type Reachability = { readonly reachable: boolean; readonly detail: string }

export interface Sink {
  readonly name: string
  /** Never rejects. Tries whether the sink is there, without delivering anything. */
  check(signal: AbortSignal): Promise<Reachability>
  /** Never rejects. Events are in the order of the log, at most 100. */
  deliver(events: readonly StoredEvent[], signal: AbortSignal): Promise<DeliveryOutcome>
  close(): Promise<void>
}

type LogMethod = (message: string, fields?: Readonly<Record<string, unknown>>) => void
/** Fields must hold no secret, key, token or signature; the shell redacts known names as well. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', LogMethod>

export type { CallbackOutcome }

export interface ReceiverMetrics {
  callback(domain: string, outcome: CallbackOutcome, seconds: number): void
  verified(domain: string, key: KeyRole, ageSeconds: number): void
  flagged(domain: string, flags: readonly Flag[]): void
}

export interface RegistrarMetrics {
  registration(domain: string, state: RegistrationState): void
  changed(domain: string, change: RegistrationChange): void
  /** `generation` -1: foreign. `seenAt` is since when this store has seen the key, epoch ms. */
  keyInForce(domain: string, generation: number, seenAt: number): void
}

export interface RingMetrics {
  /** When the last callback came, epoch ms, as far as the store remembers. */
  lastCallback(domain: string, at: number): void
}

export interface ProberMetrics {
  /** How a probe through the public URL went. */
  probed(result: ProbeResult): void
}

export interface DispatcherMetrics {
  /** One attempt to deliver a batch of `events`. */
  attempted(sink: string, outcome: DeliveryOutcome['kind'], events: number): void
  sinkState(sink: string, state: SinkState): void
}

export interface JanitorMetrics {
  /** What the store takes, and what it may take, in bytes. */
  storeSize(usedBytes: number, maxBytes: number): void
  /** Events that a sink will not get. */
  expired(sink: string, events: number): void
}

/** What the metrics read from its owner when they are asked for. */
export type Sample = {
  readonly eventsStored: number
  readonly lagBySink: ReadonlyMap<string, number>
  readonly deadLettersBySink: ReadonlyMap<string, number>
}

/** What the operations listener shows of one domain. Found URLs are shown, keys never. */
export type RegistrationView = {
  readonly domain: string
  readonly state: RegistrationState
  /** One sentence: what is wrong and what to do, or null where nothing is. */
  readonly detail: string | null
  readonly url: string
  /** The URL found at the provider at the last look, where it is not the one that we want. */
  readonly foundUrl: string | null
  readonly keyKnown: boolean
  /** Unsigned callbacks refused since the first registration: pushes from before authentication. */
  readonly unsigned: number
  /** The generation in force; -1 foreign; null unknown. */
  readonly generation: number | null
  /** When the last callback that verified came, ISO 8601. */
  readonly lastCallbackAt: string | null
  /** When the provider was last looked at with success, ISO 8601. */
  readonly lookedAt: string | null
}

export type SinkView = {
  readonly name: string
  readonly state: SinkState
  readonly lag: number
  readonly detail: string | null
  readonly deadLetters: number
}

export type Readiness = {
  readonly ready: boolean
  /** Why not, for people; empty when ready. */
  readonly reasons: readonly string[]
  readonly store: 'ok' | 'failing'
  readonly registrations: readonly RegistrationView[]
  readonly sinks: readonly SinkView[]
}
