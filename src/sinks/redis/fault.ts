// What a fault of a Redis client means for a delivery. Of what a server says only the beginning is
// looked at, and nothing is shown: the rest can repeat what it was sent, passwords included.
import { connectionFault, type Undelivered } from '../connection/fault.ts'
import { GivenUp, NotConnected } from '../connection/link.ts'

/** In front of why EXEC as a whole was refused. */
const WHOLE_TRANSACTION = /^EXECABORT Transaction discarded because of: /

/** From what the server says to what it means. */
const REPLIES: readonly (readonly [RegExp, 'failed' | 'refused', string])[] = [
  [/^OOM/, 'failed', 'its memory is full (OOM)'],
  [/^READONLY/, 'failed', 'is a replica, to be read only (READONLY)'],
  [/^LOADING/, 'failed', 'is loading its data (LOADING)'],
  [/^NOREPLICAS/, 'failed', 'has too few good replicas (NOREPLICAS)'],
  [/^MISCONF/, 'failed', 'can not save its data (MISCONF)'],
  [/^(MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|EXECABORT)/, 'failed', 'can not do it now'],
  [/^ERR max number of clients/, 'failed', 'has no room for another client'],
  [/^WRONGPASS|^ERR invalid password/, 'refused', 'user name or password is wrong'],
  [/^NOAUTH/, 'refused', 'asks for a password'],
  [/^ERR (AUTH|Client sent AUTH)/, 'refused', 'has no password, and was given one'],
  [/^NOPERM/, 'refused', 'does not allow MULTI, EXEC and XADD of this stream'],
  [/^WRONGTYPE/, 'refused', 'has something else under the name of the stream'],
  [/^ERR DB index/, 'refused', 'has no database of that number'],
  [/^(MOVED|ASK|CROSSSLOT)/, 'refused', 'is a cluster, which this sink does not know'],
]

/** What a fault says: about the sink, or it may pass; Redis refuses no event for its own sake. */
export function outcomeOf(error: unknown): Undelivered {
  if (error instanceof GivenUp) {
    return { kind: 'failed', reason: error.message, ...(error.wasLate && { strike: true }) }
  }
  const wasSent = !(error instanceof NotConnected)
  const fault = wasSent ? error : error.cause
  const text = replyOf(fault)
  if (text === undefined) return connectionFault(fault, wasSent)
  const known = REPLIES.find(([pattern]) => pattern.test(text))
  if (known !== undefined) return { kind: known[1], reason: known[2] }
  const [code = 'an error'] = /^[A-Z]{2,20}\b/.exec(text) ?? []
  return { kind: 'refused', reason: `answers ${code}` }
}

/** The message of an error that the server answered with; undefined for a fault on the way. */
function replyOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errorIndexes' in error && 'replies' in error) {
    const replies = error.replies as readonly unknown[]
    return replies.map(replyOf).find((text) => text !== undefined)
  }
  // Faults of the network and of TLS have a code.
  if ('code' in error || !/^[A-Z]{2,20} /.test(error.message)) return undefined
  return error.message.replace(WHOLE_TRANSACTION, '')
}
