// What the flows count, one interface for each that counts. Types only.
import type { AuditState } from '../core/audit/state.ts'
import type { DeliveryOutcome, SinkState } from '../core/delivery/outcome.ts'
import type { CallbackOutcome, Flag } from '../core/events/callback.ts'
import type { KeyRole } from '../core/keys/accepted-keys.ts'
import type { ProbeResult } from '../core/probe.ts'
import type { RegistrationChange, RegistrationState } from '../core/registration/registration.ts'
import type { KeptBy } from '../core/store-place.ts'
import type { AuditView, RegistrationView, SinkView } from './views.ts'

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

/** Of a store that replicas share. */
export interface ReplicaMetrics {
  /** How many replicas were seen within the last minute. */
  peers(count: number): void
  /** This replica owns a task from now on. */
  taken(task: string): void
  lost(task: string): void
  /** How long an append waited for the lock of the log. */
  waited(seconds: number): void
  connected(isConnected: boolean): void
  /** What keeps an event that was answered 200. */
  keptBy(kept: KeptBy): void
  /** The server's timeline changed. */
  failover(): void
}

export interface AuditMetrics {
  auditState(domain: string, state: AuditState): void
  auditedUntil(domain: string, at: number): void
  /** Shots that are listed, old enough, and were not called back. */
  missed(domain: string, shots: number): void
  filled(domain: string, shots: number): void
}

/** What the metrics read from its owner when they are asked for. */
export type Sample = {
  readonly eventsStored: number
  readonly lagBySink: ReadonlyMap<string, number>
  readonly deadLettersBySink: ReadonlyMap<string, number>
  /** Where the store is shared: what the owner of each task found, whoever it is. */
  readonly byOwners?: {
    readonly registrations: readonly Pick<RegistrationView, 'domain' | 'state' | 'generation'>[]
    readonly sinks: readonly Pick<SinkView, 'name' | 'state'>[]
    readonly audits: readonly Pick<AuditView, 'domain' | 'state' | 'auditedUntil'>[]
  }
}
