// What a NATS server may answer that is hard to have a real one answer.
import { expect, test } from 'vitest'
import { GivenUp, NotConnected } from '../../../src/sinks/connection/link.ts'
import { outcomeOf } from '../../../src/sinks/nats/fault.ts'
import { isOvertaken } from '../../../src/sinks/nats/jetstream-errors.ts'

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more })
const answer = (code: number, status: number, message = 'text that repeats a password') =>
  named('JetStreamApiError', message, { code, status })

const before = (cause: unknown) => new NotConnected('no', { cause })
const SUBJECT = 'snapshots.live.door'
const LOGIN = 'user name, password or token is wrong'
const UNKNOWN = 'JetStream answers error 10999, which the log of the server explains'

test.each([
  [answer(10_077, 503, 'maximum bytes exceeded'), 'failed', 'the stream is full (max_bytes)'],
  [answer(10_077, 503, 'maximum messages exceeded'), 'failed', 'the stream is full (max_msgs)'],
  [
    answer(10_077, 503, 'maximum messages per subject exceeded'),
    'failed',
    `the stream is full for ${SUBJECT} (max_msgs_per_subject); what comes after waits`,
  ],
  [answer(10_077, 503), 'failed', 'the stream could not store it'],
  [answer(10_047, 500), 'failed', 'the server is short of storage for JetStream'],
  [answer(10_028, 500), 'failed', 'the server is short of memory for JetStream'],
  [answer(10_002, 400), 'failed', 'the account is at its limit of JetStream resources'],
  [answer(10_059, 404), 'refused', 'there is no such stream'],
  [answer(10_109, 400), 'refused', 'the stream is sealed: it takes nothing any more'],
  [answer(10_054, 400), 'rejected', 'larger than the stream takes (max_msg_size)'],
  [answer(10_999, 400), 'refused', UNKNOWN],
  [answer(10_999, 429), 'failed', UNKNOWN],
  [answer(10_999, 500), 'failed', UNKNOWN],
  [named('JetStreamNotEnabled', 'x'), 'refused', 'no stream takes snapshots.*'],
  [named('InvalidArgumentError', 'x'), 'rejected', 'larger than the server takes (max_payload)'],
  [before(named('AuthorizationError', "'Authorization Violation'")), 'refused', LOGIN],
  [
    before(named('AuthorizationError', "'Authentication Timeout'")),
    'failed',
    'took too long to let us in',
  ],
  [named('UserAuthenticationExpiredError', 'x'), 'refused', LOGIN],
  [before(named('InvalidArgumentError', 'x')), 'failed', 'no connection'],
  [
    before(named('Error', 'x', { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) })),
    'failed',
    'no connection: its name is not known to the DNS (ENOTFOUND)',
  ],
  [before('a text'), 'failed', 'no connection'],
])('%s: %s, %s', (error, kind, reason) => {
  expect(outcomeOf(error, 'snapshots.*', SUBJECT)).toEqual({ kind, reason })
})

test.each([
  [named('TimeoutError', 'timeout'), 'no answer in time'],
  [named('RequestError', 'connection closed'), 'no answer'],
  [named('Error', 'x', { cause: { code: 'text' } }), 'no answer'],
  [new GivenUp('no answer within 10 s', { wasLate: true }), 'no answer within 10 s'],
])('%s: what was sent may have been too much', (error, reason) => {
  expect(outcomeOf(error, 'snapshots.*')).toEqual({ kind: 'failed', reason, strike: true })
})

test('only a wrong last message means that it was overtaken', () => {
  expect(isOvertaken(answer(10_070, 400))).toBe(true)
  expect([answer(10_071, 400), named('Error', 'x'), 'a text'].map(isOvertaken)).toEqual(
    Array(3).fill(false),
  )
})
