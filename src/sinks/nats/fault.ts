// What a fault of a NATS client means for a delivery. It is told by the names and codes of faults;
// their messages can repeat what was sent.
import { connectionFault, type Undelivered } from '../connection/fault.ts'
import { GivenUp, NotConnected } from '../connection/link.ts'
import { jetStreamOutcome } from './jetstream-errors.ts'

/** NATS has no codes: this is how its protocol words an error that comes while somebody logs in. */
const LOGIN_TIMEOUT = /^'?authentication timeout'?$/i

/** The login is right and does not allow it. */
export function isForbidden(error: unknown): boolean {
  return namesOf(error).includes('PermissionViolationError')
}

/** What is wrong where nothing takes `subjects`. */
export function noStream(subjects: string): string {
  return `no stream takes ${subjects}`
}

/** `subjects`: what a stream has to take, for people; `subject`: what was published to. */
export function outcomeOf(error: unknown, subjects: string, subject = subjects): Undelivered {
  if (error instanceof GivenUp) {
    return { kind: 'failed', reason: error.message, ...(error.wasLate && { strike: true }) }
  }
  const wasSent = !(error instanceof NotConnected)
  const fault = wasSent ? error : error.cause
  if (!(fault instanceof Error)) return connectionFault(fault, wasSent)
  const names = namesOf(fault)
  const is = (name: string): boolean => names.includes(name)
  if (is('JetStreamNotEnabled')) return { kind: 'refused', reason: noStream(subjects) }
  if (isForbidden(fault)) {
    return { kind: 'refused', reason: `does not allow to publish to ${subjects}` }
  }
  if (is('AuthorizationError') || is('UserAuthenticationExpiredError')) {
    return LOGIN_TIMEOUT.test(fault.message)
      ? { kind: 'failed', reason: 'took too long to let us in' }
      : { kind: 'refused', reason: 'user name, password or token is wrong' }
  }
  // All that we give the client is checked before; what it measures itself is the size.
  if (wasSent && is('InvalidArgumentError')) {
    return { kind: 'rejected', reason: 'larger than the server takes (max_payload)' }
  }
  if (is('TimeoutError'))
    return { kind: 'failed', reason: 'no answer in time', ...(wasSent && { strike: true }) }
  return jetStreamOutcome(fault, subject) ?? connectionFault(fault, wasSent)
}

function namesOf(error: unknown): string[] {
  const errors = error instanceof Error ? [error, error.cause] : []
  return errors.map((each) => (each instanceof Error ? each.name : ''))
}
