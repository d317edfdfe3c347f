// Which URLs are sinks, and what is wrong with others; none of it repeats what may be a password.
import { describe, expect, test } from 'vitest'
import {
  createSinks,
  isPlainAndRemote,
  readableOnTheWay,
  sinkUrlProblem,
} from '../../src/sinks/create-sinks.ts'
import { assertNoSecrets } from '../support/no-secrets.ts'

const PASSWORD = 'passwordInTheUrl'
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`
const NATS = `nats://host?subject=snapshots.{app}`

test.each([
  'stdout:',
  'https://sink.example.com/x',
  'HTTP://sink.example.com',
  'redis://host?stream=s',
  'rediss://user:p%40ss@host:6380/3?stream=s&maxlen=100000',
  'redis://[::1]?stream=s',
  NATS,
  'nats://token@host:4222?subject=snapshots',
  'tls://user:pass@host?subject=snapshots.{domain}.{app}.{stream}',
])('%s is a sink', async (url) => {
  expect(sinkUrlProblem(url)).toBeUndefined()
  const stdout = { on: () => undefined } as never
  const world = { stdout, webhookSecrets: [WEBHOOK_SECRET], now: Date.now }
  const [sink] = createSinks([{ name: 'it', url }], world)
  expect(sink?.name).toBe('it')
  await sink?.close()
})

describe('what is wrong with', () => {
  test.each([
    ['', 'must begin with one of stdout:, https:, http:, redis:'],
    ['sink.example.com', 'must begin with one of'],
    ['ftp://x', 'must begin with one of'],
    ['toString:', 'must begin with one of'],
    ['stdout:x', 'must be stdout: and nothing more'],
    ['https://', 'must be an http:// or https:// URL'],
    [`https://u:${PASSWORD}@x`, 'must not hold a user name or password'],
    ['http://x:10080/hook', 'must have another port than 10080'],
    ['redis:host?stream=s', 'must name a host'],
    ['redis://?stream=s', 'must name a host'],
    ['redis://host:port?stream=s', 'must name a host'],
    [`redis://:${PASSWORD}#@host?stream=s`, 'must name a host'],
    [`redis://:${PASSWORD}%@host?stream=s`, 'has a % in its user name or password'],
    ['redis://host?stream=s#x', 'must have no fragment; a # in a password is written %23'],
    ['redis://host', 'must name a stream'],
    ['redis://host?stream=', 'must name a stream'],
    ['redis://host?stream=s&stream=t', 'may have stream and maxlen in its query, once'],
    [`redis://host?stream=s&password=${PASSWORD}`, 'may have stream and maxlen in its query'],
    ['redis://host?stream=s&maxlen=0', 'a whole number as maxlen'],
    ['redis://host?stream=s&maxlen=1e6', 'a whole number as maxlen'],
    ['redis://host/db?stream=s', 'must have a database number as its path'],
    ['nats://host', 'must name a subject'],
    ['nats://host/x?subject=snapshots', 'must have no path'],
    ['nats://host?subject={app}', 'must name a subject that begins with a word'],
    ['nats://host?stream=s', 'may have subject in its query'],
  ])('%s', (url, sentence) => {
    const problem = sinkUrlProblem(url) ?? ''
    expect(problem).toContain(sentence)
    assertNoSecrets('the problem', problem, { PASSWORD })
  })
})

test.each([
  ['stdout:', undefined],
  ['https://sink.example.com/', undefined],
  ['http://sink.example.com/', 'its events'],
  ['http://127.0.0.1:8080/', undefined],
  ['redis://sink.example.com?stream=s', 'its events'],
  ['redis://:secret@sink.example.com?stream=s', 'its login and its events'],
  ['rediss://:secret@sink.example.com?stream=s', undefined],
  ['redis://:secret@localhost?stream=s', undefined],
  ['nats://token@sink.example.com?subject=s', 'its login and its events'],
  ['nats://[::1]?subject=s', undefined],
  ['tls://token@sink.example.com?subject=s', undefined],
])('on the way to %s others can read: %s', (url, what) => {
  expect(sinkUrlProblem(url)).toBeUndefined()
  expect(readableOnTheWay(url)).toBe(what)
})

test.each([
  ['http://id.example.com/jwks', true],
  ['https://id.example.com/jwks', false],
  ['http://127.0.0.1:8080', false],
  ['http://id.localhost', false],
])('%s is plain, and leads away from this machine: %s', (url, expected) => {
  expect(isPlainAndRemote(url)).toBe(expected)
})
