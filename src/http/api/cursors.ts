// Where a page ends, as an opaque text. It says in which order it was made, so that it is not taken
// for another one; it holds no secret and grants nothing.
import type { StreamPosition } from '../../ports/reading.ts'

/** Raised when the form changes: an old cursor is then refused instead of misread. */
const VERSION = 1

/** A cursor of a page of events. */
export function eventCursor(order: string, seq: number): string {
  return encode([VERSION, order, seq])
}

/** The seq of a cursor, or undefined if it is none of this order. */
export function readEventCursor(order: string, cursor: string): number | undefined {
  const [version, madeFor, seq, ...more] = decode(cursor)
  const isOurs = version === VERSION && madeFor === order && isSeq(seq) && more.length === 0
  return isOurs ? (seq as number) : undefined
}

/** A cursor of a page of streams. */
export function streamCursor(order: string, position: StreamPosition): string {
  if ('seq' in position) return encode([VERSION, order, position.seq])
  return encode([VERSION, order, position.domain, position.app, position.stream])
}

/** The position of a cursor, or undefined if it is none of this order. */
export function readStreamCursor(order: string, cursor: string): StreamPosition | undefined {
  const [version, madeFor, ...rest] = decode(cursor)
  if (version !== VERSION || madeFor !== order) return undefined
  if (order !== 'name') {
    return isSeq(rest[0]) && rest.length === 1 ? { seq: rest[0] as number } : undefined
  }
  const [domain, app, stream] = rest
  if (!isText(domain) || !isName(app) || !isName(stream) || rest.length !== 3) {
    return undefined
  }
  return { domain, app, stream }
}

function encode(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

function decode(cursor: string): unknown[] {
  if (!/^[\w-]+$/.test(cursor)) return []
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

function isSeq(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

function isName(value: unknown): value is string | null {
  return value === null || isText(value)
}
