import { expect, test } from 'vitest'
import { announceStart } from '../../src/app/announce-start.ts'
import { readConfig } from '../../src/config/config.ts'
import { keptLog } from '../support/flows/flow-fakes.ts'

const SECRET = Buffer.alloc(32, 'a secret').toString('base64url')
const JWKS = { SNAPHOOK_API_ISSUER: 'https://login.example.com', SNAPHOOK_API_AUDIENCE: 'snaphook' }
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32).toString('base64')}`
const LISTENING = { callbacks: 'http://[::]:8080', ops: 'http://127.0.0.1:9090' }

function announced(settings: Record<string, string>) {
  const config = readConfig(
    {
      SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
      SNAPHOOK_DOMAINS: 'play.example.com',
      ...settings,
    },
    String,
  )
  if (!config.ok) throw new TypeError(config.problems.join('\n'))
  const log = keptLog()
  announceStart(config.value, LISTENING, log)
  return log.lines
}

const warnings = (settings: Record<string, string>) =>
  announced(settings).flatMap(({ level, message }) => (level === 'warn' ? [message] : []))

test('a start says where the service listens, and warns of nothing that is protected', () => {
  expect(
    announced({
      SNAPHOOK_LIVE_ENDPOINT: 'https://live.aliyuncs.com',
      SNAPHOOK_API_JWKS_URL: 'https://login.example.com/keys',
      ...JWKS,
      SNAPHOOK_SINKS: 'a=https://sink.example.com/,b=rediss://redis.example.com?stream=s',
      SNAPHOOK_WEBHOOK_SECRET: WEBHOOK_SECRET,
    }),
  ).toEqual([
    {
      level: 'info',
      message: 'listening',
      fields: { version: expect.any(String), domains: ['play.example.com'], ...LISTENING },
    },
  ])
})

test.each([
  [
    'the public URL',
    { SNAPHOOK_PUBLIC_URL: 'http://hook.example.com' },
    'public URL is plain http',
  ],
  [
    "the provider's API",
    { SNAPHOOK_LIVE_ENDPOINT: 'http://live.example.com' },
    'signed calls and notify keys can be read',
  ],
  [
    'the key set of API tokens',
    { ...JWKS, SNAPHOOK_API_JWKS_URL: 'http://login.example.com/keys' },
    'whoever is on the way can make tokens',
  ],
  [
    'a sink with a login',
    { SNAPHOOK_SINKS: 'a=redis://user:hush@redis.example.com?stream=s' },
    'a sink is plain redis: its login and its events can be read on their way',
  ],
])('%s over plain http is warned of, once', (_, settings, sentence) => {
  const all = warnings({ SNAPHOOK_SECRET: SECRET, ...(settings as Record<string, string>) })
  expect(all).toEqual([expect.stringContaining(sentence)])
  expect(JSON.stringify(announced(settings as Record<string, string>))).not.toContain('hush')
})

test('what stays on this machine is read by nobody', () => {
  expect(
    warnings({
      SNAPHOOK_LIVE_ENDPOINT: 'http://127.0.0.1:8081',
      ...JWKS,
      SNAPHOOK_API_JWKS_URL: 'http://localhost:8082/keys',
      SNAPHOOK_SINKS: 'a=redis://[::1]?stream=s',
    }),
  ).toEqual([])
})

test('a sink is named, and nothing of its URL', () => {
  const hosts = ['127.0.0.1:2', 'localhost', '[::1]', 'sink.example.com', '127.0.0.1.example.com']
  const lines = announced({
    SNAPHOOK_SINKS: hosts.map((host, index) => `sink${index}=http://${host}/token`).join(),
    SNAPHOOK_WEBHOOK_SECRET: WEBHOOK_SECRET,
  })
  const warned = lines.filter(({ message }) => message.startsWith('a sink is plain http'))
  expect(warned.map(({ fields }) => fields.sink)).toEqual(['sink3', 'sink4'])
  expect(JSON.stringify(lines)).not.toContain('token')
})
