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

export type Readiness = {
  readonly ready: boolean
  /** Why not, for people; empty when ready. */
  readonly reasons: readonly string[]
  readonly store: 'ok' | 'failing'
  readonly registrations: readonly RegistrationView[]
  readonly sinks: readonly SinkView[]
  readonly audits: readonly AuditView[]
}
