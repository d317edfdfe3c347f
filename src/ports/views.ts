// What the flows show of themselves, to the operations listener and to commands. Types only.
import type { AuditState, GapReason } from '../core/audit/state.ts'
import type { SinkState } from '../core/delivery/outcome.ts'
import type { RegistrationState } from '../core/registration/registration.ts'

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
  /** Events sent at once, at most: fewer than 100 after failures, until full batches pass again. */
  readonly batchSize: number
  readonly detail: string | null
  readonly deadLetters: number
  /** The replica that delivers to it, if the store is shared; null: none at the moment. */
  readonly owner?: string | null
}

/** A replica that was seen within the last minute. */
export type ReplicaView = {
  readonly name: string
  readonly version: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly seenSeconds: number
  /** What it is the owner of: `sink:NAME`, `janitor`, `registrar`, `audit`. */
  readonly owns: readonly string[]
}

/** What is shown of the audit of a domain. */
export type AuditView = {
  readonly domain: string
  readonly state: AuditState
  /** One sentence: what is wrong and what to do, or null where nothing is. */
  readonly detail: string | null
  /** ISO 8601; null while unknown. */
  readonly auditedUntil: string | null
  /** Since this start. */
  readonly missed: number
  readonly filled: number
  /** What was not filled, the last one first; ISO 8601. */
  readonly gaps: readonly {
    readonly from: string
    readonly until: string
    readonly reason: GapReason
    readonly missed: number
  }[]
}

/** The server of a shared store. */
export type DatabaseView = {
  /** What an acknowledged commit is worth: `standby` where the server waits for one, if it names one. */
  readonly durability: 'standby' | 'primary'
  /** At the last append: another one after each failover. Null before the first. */
  readonly timeline: string | null
}

/** What a shared store knows of itself, whether or not a replica runs. */
export type SharingView = DatabaseView & {
  /** Whether the server names a standby to wait for. */
  readonly hasStandby: boolean
  readonly failovers: number
  readonly partitions: number
  /** Events up to this one are gone. */
  readonly goneUpTo: number
  /** What the store holds, as its limit counts it. */
  readonly usedBytes: number
  /** All of its tables and indexes. */
  readonly bytesOnDisk: number
  readonly replicas: readonly ReplicaView[]
  /** Tasks that had an owner once, and have none at the moment. */
  readonly unowned: readonly string[]
}

export type Readiness = {
  readonly ready: boolean
  /** Why not, for people; empty when ready. */
  readonly reasons: readonly string[]
  readonly store: 'ok' | 'failing'
  readonly registrations: readonly RegistrationView[]
  readonly sinks: readonly SinkView[]
  /** Absent where the store is not shared. */
  readonly database?: DatabaseView
  /** Those that share the store, this one included; absent where it is not shared. */
  readonly replicas?: readonly ReplicaView[]
  readonly audits: readonly AuditView[]
}
