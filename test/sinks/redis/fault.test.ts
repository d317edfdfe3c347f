// What a Redis may say that is hard to have a real one say.
import { describe, expect, test } from 'vitest'
import { GivenUp, NotConnected } from '../../../src/sinks/connection/link.ts'
import { outcomeOf } from '../../../src/sinks/redis/fault.ts'

describe('an error of the server', () => {
  test.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'failed', 'memory is full'],
    ['EXECABORT Transaction discarded because of: OOM command not allowed', 'failed', 'memory is'],
    ['EXECABORT Transaction discarded because of previous errors.', 'failed', 'can not do it now'],
    ['LOADING Redis is loading the dataset in memory', 'failed', 'is loading'],
    ["READONLY You can't write against a read only replica.", 'failed', 'replica'],
    ['MASTERDOWN Link with MASTER is down', 'failed', 'can not do it now'],
    ['MISCONF Redis is configured to save RDB snapshots', 'failed', 'can not save'],
    ['BUSY Redis is busy running a script.', 'failed', 'can not do it now'],
    ['ERR max number of clients reached', 'failed', 'no room'],
    ['ERR AUTH <password> called without any password configured', 'refused', 'has no password'],
    ['MOVED 3999 127.0.0.1:6381', 'refused', 'is a cluster'],
    [
      "ERR unknown command 'MULTI', with args beginning with: 'passwordOf",
      'refused',
      'answers ERR',
    ],
    ['SOMETHING else', 'refused', 'answers SOMETHING'],
  ])('%s: %s', (message, kind, reason) => {
    const outcome = outcomeOf(new Error(message))
    expect(outcome).toEqual({ kind, reason: expect.stringContaining(reason) })
    expect(JSON.stringify(outcome)).not.toContain('passwordOf')
  })

  test('in the middle of a transaction is that of its first command that failed', () => {
    const replies = ['1-1', new Error('WRONGTYPE Operation against a key'), new Error('OOM x')]
    const error = Object.assign(new Error('2 commands failed'), { replies, errorIndexes: [1, 2] })
    expect(outcomeOf(error).kind).toBe('refused')
  })
})

const coded = (code: string) => Object.assign(new Error(`connect ${code}`), { code })

test.each([
  [
    new NotConnected('no', { cause: coded('ECONNREFUSED') }),
    'no connection: nothing listens there (ECONNREFUSED)',
  ],
  [new NotConnected('no', { cause: 'a text' }), 'no connection'],
])('a connection that does not come about may pass: %s', (error, reason) => {
  expect(outcomeOf(error)).toEqual({ kind: 'failed', reason })
})

test.each([
  [coded('ECONNRESET'), 'no answer: it closed the connection (ECONNRESET)'],
  [new Error('Socket closed unexpectedly'), 'no answer'],
  ['a text', 'no answer'],
  [new GivenUp('no answer within 10 s', { wasLate: true }), 'no answer within 10 s'],
])(
  'where a connection ends under way, what was sent may have been too much: %s',
  (error, reason) => {
    expect(outcomeOf(error)).toEqual({ kind: 'failed', reason, strike: true })
  },
)

test('a login that is refused while connecting is about the sink', () => {
  const cause = new Error('WRONGPASS invalid username-password pair')
  expect(outcomeOf(new NotConnected('no', { cause })).kind).toBe('refused')
})
