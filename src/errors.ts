// Faults: things that went wrong, as opposed to refusals, which are values. Each has a stable
// `code` that callers branch on; the message says what to do and never holds a secret.

export type FaultCode =
  | 'secret_unusable'
  | 'store_unavailable'
  | 'store_locked'
  | 'store_newer'
  | 'store_full'
  | 'store_failed'
  | 'store_damaged'
  | 'store_slow'
  | 'store_overloaded'
  | 'lease_lost'
  | 'api_config_exists'
  | 'api_config_not_found'
  | 'api_throttled'
  | 'api_unavailable'
  | 'api_denied'
  | 'api_signature'
  | 'api_parameter'
  | 'api_unknown_domain'
  | 'api_unknown_stream'
  | 'api_credentials'
  | 'api_refused'
  | 'outdated'
  | 'listen_failed'
  | 'aborted'

export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: FaultCode

  constructor(message: string, options: { code: FaultCode; cause?: unknown }) {
    super(message, options)
    this.code = options.code
  }
}

/** The code of a fault, or undefined for anything that is not one of ours. */
export function faultCode(error: unknown): FaultCode | undefined {
  return error instanceof ServiceError ? error.code : undefined
}

/** Whether a write that ended with this fault may have taken effect, now or later, all the same. */
export function mayHaveTakenEffect(error: unknown): boolean {
  const code = faultCode(error)
  return code === undefined || code === 'api_unavailable' || code === 'aborted'
}

/** One line for a log: the message of an error, never its stack, request or cause. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
