// Faults: things that went wrong, as opposed to refusals, which are values. Each has a stable
// `code` that callers branch on; the message says what to do and never holds a secret.

export type FaultCode =
  | 'secret_unusable'
  | 'store_unavailable'
  | 'store_missing'
  | 'store_locked'
  | 'store_newer'
  | 'store_full'
  | 'store_failed'
  | 'store_damaged'
  | 'ring_damaged'
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

/**
 * For `catch`: `value` where the fault is one that we know. Anything else is a bug and is thrown on, to
 * end the process with its stack frames in the log rather than be met again and again.
 */
export function unlessBug<T>(value: T): (error: unknown) => T {
  return (error) => {
    throwBug(error)
    return value
  }
}

/** Throws `error` on unless it is a fault that we know. */
export function throwBug(error: unknown): asserts error is ServiceError {
  if (!(error instanceof ServiceError)) throw error
}

/** Faults that may pass by themselves; any other waits for a person. */
const PASSING: ReadonlySet<FaultCode | undefined> = new Set<FaultCode>([
  'api_throttled',
  'api_unavailable',
  'api_credentials',
  'store_failed',
  'store_damaged',
  'store_full',
  'store_overloaded',
  'store_slow',
])

/** Whether a fault may pass by itself, so that it is worth to try again soon. */
export function mayPass(error: unknown): boolean {
  return PASSING.has(faultCode(error))
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

/** A path with a line in it, as V8 shows where a function was called. */
const FRAME = /^\s+at \S/
/** Longer texts without a space may be a key, a token or a URL. */
const OPAQUE = /[^\s'"`]{24,}|\w+:\/\/[^\s'"`]*/g
/** An error made of an error made of …: the innermost ones say no more. */
const MAX_CAUSES = 4

/**
 * What to log of a bug, which is anything thrown that is no `ServiceError`: what it was and where.
 * Stack frames hold no values; whatever in the message may be a secret is left out.
 */
export function describeBug(error: unknown): { error: string; frames: readonly string[] } {
  const frames: string[] = []
  let cause = error
  for (let depth = 0; cause instanceof Error && depth < MAX_CAUSES; depth += 1) {
    if (depth > 0) frames.push(`caused by ${nameOf(cause)}`)
    frames.push(...framesOf(cause))
    cause = cause.cause
  }
  return { error: nameOf(error), frames }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error}`
  if (error instanceof ServiceError) return error.message
  // Of a text that can't be parsed the message quotes the beginning.
  if (error instanceof SyntaxError) return error.name
  return `${error.name}: ${error.message.replace(OPAQUE, '…')}`
}

function framesOf({ message, stack = '' }: Error): string[] {
  // The message stands before the frames, and may be anything.
  const start = stack.indexOf(message)
  const rest = start === -1 ? stack : stack.slice(start + message.length)
  return rest
    .split('\n')
    .filter((line) => FRAME.test(line))
    .map((line) => line.trim())
}
