// What PostgreSQL's errors mean to us. Decided by SQLSTATE, never by message; the sentence says what
// to do and holds no login. https://www.postgresql.org/docs/current/errcodes-appendix.html
import { type FaultCode, ServiceError } from '../../errors.ts'
import { nameOf, type PostgresLocation } from './location.ts'

const DISK_FULL = '53100'
const READ_ONLY = '25006'
const TOO_MANY_CONNECTIONS = '53300'
const LOCK_NOT_AVAILABLE = '55P03'
const DATA_EXCEPTION = '22'
/** Of our own procedures. */
const WRONG_ISOLATION = 'SH001'

/** The connection is no use any more, or never was: another one may be. */
const CONNECTION_STATES = /^(08|57P0[1-5]|28|53300|25006|3D000)/
/** Certificates that do not fit, as Node's TLS names them. */
const TLS_CODES = /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/

const SENTENCES: Readonly<Record<string, string>> = {
  [DISK_FULL]: 'is full: make room on its disk',
  [READ_ONLY]:
    'takes no writes: name the primary endpoint, and see whether the instance is locked for a full disk',
  [TOO_MANY_CONNECTIONS]: 'has no connection left: raise its limit, or run fewer replicas',
  [LOCK_NOT_AVAILABLE]: 'is held up: another session has held the lock of the log for long',
  [WRONG_ISOLATION]:
    'has another default isolation than "read committed": take it off this role and database',
  '28P01': 'refuses the password of this role: correct SNAPHOOK_STORE',
  '28000': 'refuses this role: correct SNAPHOOK_STORE, or the rules of the server',
  '3D000': 'does not exist: make the database, or correct SNAPHOOK_STORE',
  '42501': 'gives this role too few rights: it must own the schema, or be allowed to make it',
  '57P01': 'was shut down or restarted',
  '57P02': 'was shut down or restarted',
  '57P03': 'is starting or shutting down',
}

/** The connection ended, or took too long, or could not be made. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether only this statement failed for what was in it, and others may go on. */
export function isContentFault(error: unknown): boolean {
  return sqlState(error)?.startsWith(DATA_EXCEPTION) === true
}

export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === LOCK_NOT_AVAILABLE
}

/** Whether the connection is to be given up after this error. */
export function endsConnection(error: unknown): boolean {
  return error instanceof ConnectionLost || CONNECTION_STATES.test(sqlState(error) ?? '')
}

/** What became of work on an open store, as a fault that says what to do. */
export function faultOf(error: unknown, location: PostgresLocation): ServiceError {
  if (error instanceof ServiceError) return error
  return storeFault(location, problemOf(error), codeOf(error), error)
}

/** The sentence for a store that does not open. */
export function openFault(error: unknown, location: PostgresLocation): ServiceError {
  if (error instanceof ServiceError) return error
  return storeFault(location, problemOf(error), 'store_unavailable', error)
}

export function storeFault(
  location: PostgresLocation,
  problem: string,
  code: FaultCode,
  cause?: unknown,
): ServiceError {
  return new ServiceError(`The store ${nameOf(location)} ${problem}.`, { code, cause })
}

function codeOf(error: unknown): FaultCode {
  const state = sqlState(error)
  if (state === DISK_FULL) return 'store_full'
  if (state === 'XX001' || state === 'XX002') return 'store_damaged'
  return 'store_failed'
}

function problemOf(error: unknown): string {
  const state = sqlState(error) ?? ''
  const known = SENTENCES[state]
  if (known !== undefined) return known
  const reason = error instanceof Error ? firstLine(error) : 'unknown error'
  if (TLS_CODES.test(state)) {
    return `has a certificate that does not fit (${reason}): correct sslrootcert, host or certificate`
  }
  if (error instanceof ConnectionLost || /^(E[A-Z]+|08\w{3})$/.test(state)) {
    return `can't be reached (${reason}): check host, port and network`
  }
  return `failed: ${reason}${state === '' ? '' : ` (${state})`}`
}

function firstLine({ message }: Error): string {
  return (message.split('\n')[0] ?? '').slice(0, 300)
}
