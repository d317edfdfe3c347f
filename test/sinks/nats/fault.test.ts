// What a NATS server may answer that is hard to have a real one answer.
import { expect, test } from 'vitest'
import { isOvertaken, outcomeOf } from '../../../src/sinks/nats/fault.ts'

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more })
const answer = (code: number, status: number, message = 'text that repeats a password') =>
  named('JetStreamApiError', message, { code, status })

test.each([
  [answer(10_077, 503, 'maximum bytes exceeded'), 'failed', 'the stream is full'],
  [answer(10_077, 503), 'failed', 'JetStream answers error 10077'],
  [answer(10_047, 500), 'failed', 'JetStream answers error 10047'],
  [answer(10_008, 503), 'failed', 'JetStream answers error 10008'],
  [answer(10_054, 400), 'rejected', 'larger than the stream takes'],
  [answer(10_109, 400), 'refused', 'JetStream answers error 10109'],
  [named('JetStreamNotEnabled', 'x'), 'refused', 'no stream takes snapshots.*'],
  [named('TimeoutError', 'timeout'), 'failed', 'no answer in time'],
  [named('AuthorizationError', 'Authentication Timeout'), 'failed', 'took too long to let us in'],
  [
    named('UserAuthenticationExpiredError', 'x'),
    'refused',
    'user name, password or token is wrong',
  ],
  [named('RequestError', 'connection closed'), 'failed', 'no connection'],
  [named('Error', 'x', { cause: { code: 'text' } }), 'failed', 'no connection'],
  [named('Error', 'x', { code: 'ENOTFOUND' }), 'failed', 'no connection (ENOTFOUND)'],
  ['a text', 'failed', 'no connection'],
])('%s: %s, %s', (error, kind, reason) => {
  expect(outcomeOf(error, 'snapshots.*')).toEqual({ kind, reason })
})

test('only a wrong last message means that it was overtaken', () => {
  expect(isOvertaken(answer(10_070, 400))).toBe(true)
  expect([answer(10_071, 400), named('Error', 'x'), 'a text'].map(isOvertaken)).toEqual(
    Array(3).fill(false),
  )
})
