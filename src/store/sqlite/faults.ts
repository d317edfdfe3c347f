// What SQLite's errors mean to us. Decided by result code, never by message; the message goes into
// one sentence that says what to do. SQLite's messages quote no values, so they hold no secret.
import { describeError, type FaultCode, ServiceError } from '../../errors.ts'

/** Primary result codes, from the low byte of an extended one: https://sqlite.org/rescode.html */
const PRIMARY = 0xff
const SQLITE_ERROR = 1
const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_CANTOPEN = 14
const SQLITE_TOOBIG = 18
const SQLITE_CONSTRAINT = 19
const SQLITE_MISMATCH = 20
const SQLITE_NOTADB = 26
/** The wal-index could not grow: no space left, where it concerns the shared memory file. */
const SQLITE_IOERR_SHMSIZE = 4874
/** A statement that is wrong itself: these alone leave its transaction as it was. */
const STATEMENT_ERRORS: readonly number[] = [
  SQLITE_ERROR,
  SQLITE_TOOBIG,
  SQLITE_CONSTRAINT,
  SQLITE_MISMATCH,
]

const DAMAGED = 'is damaged: restore it from a backup, or move it away to start anew'
const NOT_WRITABLE =
  "can't be written to: check its permissions and that its disk is not mounted read-only"

/** A fault in a form that crosses threads. */
export type Fault = {
  readonly code: FaultCode
  readonly message: string
  /** What was thrown, where that is no fault of a store but a bug: it crosses with its stack. */
  readonly bug?: Error
}

/** The sentence for a store at `path` that does not open. */
export function openFault(error: unknown, path: string): ServiceError {
  if (error instanceof ServiceError) return error
  return unavailable(path, adviceFor(error), error)
}

export function unavailable(path: string, problem: string, cause?: unknown): ServiceError {
  return new ServiceError(`The store ${path} ${problem}.`, { code: 'store_unavailable', cause })
}

/**
 * What became of work on an open store: `store_full` where it lacks room, `store_damaged` where
 * nothing in it can be relied on any more, else `store_failed`.
 */
export function faultOf(error: unknown, path: string): Fault {
  if (error instanceof ServiceError) return { code: error.code, message: error.message }
  if (isBug(error)) return { code: 'store_failed', message: error.message, bug: error }
  const code: FaultCode = isRoomMissing(error)
    ? 'store_full'
    : isDamage(error)
      ? 'store_damaged'
      : 'store_failed'
  return { code, message: `The store ${path} ${problemOf(error)}.` }
}

/** Neither SQLite nor the system gave a code. */
function isBug(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) === undefined && !('errno' in error)
}

function isRoomMissing(error: unknown): boolean {
  return primaryCode(error) === SQLITE_FULL || codeOf(error) === SQLITE_IOERR_SHMSIZE
}

function isDamage(error: unknown): boolean {
  const code = primaryCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

function problemOf(error: unknown): string {
  if (isRoomMissing(error)) return 'is full: make room on its disk'
  if (isDamage(error)) return DAMAGED
  switch (primaryCode(error)) {
    case SQLITE_READONLY:
      return NOT_WRITABLE
    case SQLITE_IOERR:
      return `is on a disk that fails (${describeError(error)}): check it`
    default:
      return `failed: ${describeError(error)}`
  }
}

/** The error that a fault stood for on the other side. */
export function toError({ code, message, bug }: Fault): Error {
  return bug ?? new ServiceError(message, { code })
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY
}

/** Whether only the statement failed: anything else has to do with the store as a whole. */
export function isStatementError(error: unknown): boolean {
  const code = primaryCode(error)
  return code === undefined || STATEMENT_ERRORS.includes(code)
}

function adviceFor(error: unknown): string {
  switch (primaryCode(error)) {
    case SQLITE_CANTOPEN:
      return "can't be opened: check that it is a file in a folder that this user may write to"
    case SQLITE_NOTADB:
      return 'is not a database: move that file away or name another one'
    case SQLITE_CORRUPT:
      return DAMAGED
    case SQLITE_READONLY:
      return NOT_WRITABLE
    case SQLITE_BUSY:
      return 'is held by another process: wait for it to end, then try again'
    case SQLITE_FULL:
      return 'has no room left: make room on its disk'
    default:
      return `can't be opened (${describeError(error)}): check its path and permissions`
  }
}

function primaryCode(error: unknown): number | undefined {
  const code = codeOf(error)
  return code === undefined ? undefined : code & PRIMARY
}

function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
