// The provider's API, in the flows' words. Types only.
import type { Observed } from '../core/registration/observation.ts'
import type { Registration } from '../core/registration/registration.ts'

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
