// What a fault of a NATS client means for a delivery. It is told by the names and codes of faults;
// their messages can repeat what was sent.
import type { DeliveryOutcome } from '../../core/delivery/outcome.ts'
import { GivenUp } from '../connection/link.ts'
import { codeOf } from '../connection/reach.ts'

export type Undelivered = Exclude<DeliveryOutcome, { kind: 'delivered' }>

/** Error codes of JetStream, as its server numbers them. */
const TOO_LARGE_FOR_STREAM = 10_054
const WRONG_LAST_MESSAGE = 10_070
const STORE_FAILED = 10_077
/** A status from here on is the server's trouble, below it is ours. */
const SERVER_TROUBLE = 500

/** The event before is not the last of the stream: it failed, or somebody else has written since. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === WRONG_LAST_MESSAGE
}

/** The login is right and does not allow it. */
export function isForbidden(error: unknown): boolean {
  return namesOf(error).includes('PermissionViolationError')
}

/** What is wrong where nothing takes `subjects`. */
export function noStream(subjects: string): string {
  return `no stream takes ${subjects}`
}

/** `subjects`: what a stream has to take, for people. */
export function outcomeOf(error: unknown, subjects: string): Undelivered {
  if (error instanceof GivenUp) return { kind: 'failed', reason: error.message }
  if (!(error instanceof Error)) return { kind: 'failed', reason: 'no connection' }
  const names = namesOf(error)
  const is = (name: string): boolean => names.includes(name)
  if (is('JetStreamNotEnabled')) {
    return { kind: 'refused', reason: noStream(subjects) }
  }
  if (isForbidden(error)) {
    return { kind: 'refused', reason: `does not allow to publish to ${subjects}` }
  }
  if (is('AuthorizationError') || is('UserAuthenticationExpiredError')) {
    const passes = /timeout/i.test(error.message)
    return passes
      ? { kind: 'failed', reason: 'took too long to let us in' }
      : { kind: 'refused', reason: 'user name, password or token is wrong' }
  }
  if (is('InvalidArgumentError') && error.message.includes('max_payload')) {
    return { kind: 'rejected', reason: 'larger than the server takes' }
  }
  if (is('TimeoutError')) return { kind: 'failed', reason: 'no answer in time' }
  return jetStreamOutcome(error) ?? { kind: 'failed', reason: `no connection${brackets(error)}` }
}

function namesOf(error: unknown): string[] {
  const errors = error instanceof Error ? [error, error.cause] : []
  return errors.map((each) => (each instanceof Error ? each.name : ''))
}

function jetStreamOutcome(error: Error): Undelivered | undefined {
  if (!('status' in error && 'code' in error)) return undefined
  const { status, code } = error
  if (code === TOO_LARGE_FOR_STREAM) {
    return { kind: 'rejected', reason: 'larger than the stream takes' }
  }
  if (code === STORE_FAILED && /^maximum \w+ exceeded/.test(error.message)) {
    return { kind: 'failed', reason: 'the stream is full' }
  }
  const kind = Number(status) >= SERVER_TROUBLE ? 'failed' : 'refused'
  return { kind, reason: `JetStream answers error ${Number(code)}` }
}

function brackets(error: Error): string {
  const code = codeOf(error) ?? codeOf(error.cause)
  return code === undefined ? '' : ` (${code})`
}
