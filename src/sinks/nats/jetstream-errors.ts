// What JetStream answers when it does not take a message, in words. Its errors are numbered:
// https://github.com/nats-io/nats-server/blob/main/server/errors.json
import type { Undelivered } from '../connection/fault.ts'

type Meaning = Pick<Undelivered, 'reason'> & { readonly kind: 'failed' | 'refused' | 'rejected' }

const STORE_FAILED = 10_077
const WRONG_LAST_MESSAGE = 10_070

/** Those that have a meaning for whoever looks after the stream. */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [10_002, { kind: 'failed', reason: 'the account is at its limit of JetStream resources' }],
  [10_008, { kind: 'failed', reason: 'JetStream is not available for the moment' }],
  [10_009, { kind: 'failed', reason: 'the cluster of the stream has no leader for the moment' }],
  [10_023, { kind: 'failed', reason: 'the server is short of resources for JetStream' }],
  [10_028, { kind: 'failed', reason: 'the server is short of memory for JetStream' }],
  [10_047, { kind: 'failed', reason: 'the server is short of storage for JetStream' }],
  [10_118, { kind: 'failed', reason: 'the stream is offline' }],
  [10_158, { kind: 'failed', reason: 'the same message is being stored by somebody else' }],
  [10_167, { kind: 'failed', reason: 'the stream gets more than it can take for the moment' }],
  [10_039, { kind: 'refused', reason: 'JetStream is not enabled for this account' }],
  [10_059, { kind: 'refused', reason: 'there is no such stream' }],
  [10_076, { kind: 'refused', reason: 'JetStream is not enabled on the server' }],
  [10_109, { kind: 'refused', reason: 'the stream is sealed: it takes nothing any more' }],
  [10_054, { kind: 'rejected', reason: 'larger than the stream takes (max_msg_size)' }],
  [10_097, { kind: 'rejected', reason: 'its header is larger than the stream takes' }],
])

/** Ways for a stream to be full have one number, and are told apart by these words of the server. */
const FULL: Readonly<Record<string, (subject: string) => string>> = {
  'maximum messages exceeded': () => 'the stream is full (max_msgs)',
  'maximum bytes exceeded': () => 'the stream is full (max_bytes)',
  'maximum messages per subject exceeded': (subject) =>
    `the stream is full for ${subject} (max_msgs_per_subject); what comes after waits`,
}

/** From here on a status is the server's trouble, below it is ours. */
const SERVER_TROUBLE = 500
const TOO_MANY = 429

/** The event before is not the last of the stream: it failed, or somebody else has written since. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === WRONG_LAST_MESSAGE
}

/** `subject`: what was published to. Undefined for a fault that is no answer of JetStream. */
export function jetStreamOutcome(error: Error, subject: string): Undelivered | undefined {
  if (!('status' in error && 'code' in error)) return undefined
  const [code, status] = [Number(error.code), Number(error.status)]
  const known = MEANINGS.get(code)
  if (known !== undefined) return known
  const full = code === STORE_FAILED ? FULL[error.message] : undefined
  if (full !== undefined) return { kind: 'failed', reason: full(subject) }
  const kind = status >= SERVER_TROUBLE || status === TOO_MANY ? 'failed' : 'refused'
  if (code === STORE_FAILED) return { kind, reason: 'the stream could not store it' }
  return { kind, reason: `JetStream answers error ${code}, which the log of the server explains` }
}
