// What PostgreSQL's errors mean to us. Decided by SQLSTATE, never by message; the sentence says what
// to do and holds no login. https://www.postgresql.org/docs/current/errcodes-appendix.html
import { locationName, type PostgresLocation } from '../../../core/store-place.ts'
import { type FaultCode, ServiceError } from '../../../errors.ts'

const DISK_FULL = '53100'
const READ_ONLY = '25006'
const TOO_MANY_CONNECTIONS = '53300'
const LOCK_NOT_AVAILABLE = '55P03'
const DATA_EXCEPTION = '22'
/** Of our own procedures. */
const WRONG_ISOLATION = 'SH001'

/** The connection is no use any more, or never was: another one may be. */
const CONNECTION_STATES = /^(08|57P0[1-5]|28|53300|25006|3D000)/
/** What is the same however often it is tried: login, database, rights, of the startup. */
const PERMANENT_STATES = /^(28|3D000|42501)/
/** Certificates that do not fit, as Node's TLS names them. */
const CERTIFICATE_CODES = /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/
/** No agreement on TLS, certificates aside. */
const TLS_CODES = /^(EPROTO|ERR_SSL)/
/** The client's own errors have no code. Its version is pinned, and tests meet each of these. */
const NO_TLS = 'The server does not support SSL connections'
const SASL = 'SASL: '

const SENTENCES: Readonly<Record<string, string>> = {
  [DISK_FULL]: 'is full: make room on its disk',
  [READ_ONLY]:
    'takes no writes: name the primary endpoint, and see whether the instance is locked for a full disk',
  [TOO_MANY_CONNECTIONS]: 'has no connection left: raise its limit, or run fewer replicas',
  [LOCK_NOT_AVAILABLE]: 'is held up: another session has held the lock of the log for long',
  [WRONG_ISOLATION]:
    'has another default isolation than "read committed": take it off this role and database',
  '28P01': 'refuses the password of this role: correct SNAPHOOK_STORE',
  '28000':
    'refuses this role, or connections with or without TLS: correct SNAPHOOK_STORE, or its pg_hba.conf',
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

/** Whether a connection that failed with this would fail so again, until somebody mends it. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof ServiceError) return true
  const state = sqlState(error) ?? ''
  if (PERMANENT_STATES.test(state) || CERTIFICATE_CODES.test(state) || TLS_CODES.test(state)) {
    return true
  }
  return error instanceof Error && (error.message === NO_TLS || error.message.startsWith(SASL))
}

/** What became of work on an open store, as a fault that says what to do. */
export function faultOf(error: unknown, location: PostgresLocation): ServiceError {
  if (error instanceof ServiceError) return error
  return storeFault(location, problemOf(error), codeOf(error), error)
}

/** Every rejection is a fault of ours with a sentence; nobody above knows of SQLSTATE. */
export function withFaults<S extends object>(store: S, location: PostgresLocation): S {
  const wrapped = Object.entries(store).map(([name, method]) => [
    name,
    (...args: unknown[]) =>
      (method as (...args: unknown[]) => Promise<unknown>)(...args).catch((error: unknown) => {
        throw faultOf(error, location)
      }),
  ])
  return Object.fromEntries(wrapped) as S
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
  return new ServiceError(`The store ${locationName(location)} ${problem}.`, { code, cause })
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
  const reason = (error instanceof Error ? firstLine(error) : '') || state || 'unknown error'
  if (CERTIFICATE_CODES.test(state)) {
    return `has a certificate that does not fit (${reason}): correct sslrootcert, host or certificate`
  }
  if (TLS_CODES.test(state)) return `can't agree with us on TLS (${state}): see its TLS settings`
  if (reason === NO_TLS) {
    return 'has no TLS: switch it on, or set sslmode=disable where nobody else is on the way'
  }
  if (reason.startsWith(SASL)) return 'asks for another login: correct SNAPHOOK_STORE'
  if (error instanceof ConnectionLost || /^(E[A-Z]+|08\w{3})$/.test(state)) {
    return `can't be reached (${reason}): check host, port and network`
  }
  return `failed: ${reason}${state === '' ? '' : ` (${state})`}`
}

function firstLine({ message }: Error): string {
  return (message.split('\n')[0] ?? '').slice(0, 300)
}
