// What good settings come to.
import { describe, expect, test } from 'vitest'
import { readApiSecretSetting, readConfig } from '../../src/config/config.ts'
import { noFile, REQUIRED, read, SECRET, WEBHOOK_SECRET } from './reading.ts'

const OLDER = Buffer.alloc(48, 2).toString('base64url')

describe('good settings', () => {
  test('defaults are those of the documentation', () => {
    expect(read({ PATH: '/bin', DEBUG: 'other:*', SNAPHOOK_SECRET: '' })).toEqual({
      ok: true,
      value: {
        publicUrls: ['https://hook.example.com'],
        domains: ['play.example.com'],
        listen: { host: '0.0.0.0', port: 8080 },
        opsListen: { host: '127.0.0.1', port: 9090 },
        store: { kind: 'sqlite', path: 'data/snaphook.db' },
        secrets: undefined,
        sinks: [{ name: 'stdout', url: 'stdout:' }],
        liveEndpoint: 'https://live.aliyuncs.com',
        takeover: false,
        reconcileIntervalMs: 300_000,
        clockSkewSeconds: 300,
        keyMaxAgeMs: 90 * 86_400_000,
        keyGraceSeconds: 48 * 3_600,
        retentionMs: 7 * 86_400_000,
        retentionMaxMs: 30 * 86_400_000,
        storeMax: { share: 0.8 },
        auditIntervalMs: 900_000,
        webhookSecrets: [],
        apiSecret: undefined,
        apiJwks: undefined,
        images: { kind: 'off' },
        logLevel: 'info',
      },
    })
  })

  test('webhook sinks take a secret', () => {
    const read = readConfig({ ...REQUIRED, SNAPHOOK_SINKS: 'x=https://x.example.com' }, String)
    expect(read.ok ? [] : read.problems).toEqual([
      expect.stringMatching(/^SNAPHOOK_WEBHOOK_SECRET is required: .* sink x /),
    ])
  })

  test('webhook sinks, whose secret may come from a file', () => {
    const sinks = 'a=https://a.example.com/x%2Cy/token,stdout:,b=HTTP://b.example.com:81'
    const both = `${WEBHOOK_SECRET}, whsec_${Buffer.alloc(64, 8).toString('base64')}`
    const env = { SNAPHOOK_SINKS: sinks, SNAPHOOK_WEBHOOK_SECRET_FILE: '/secret' }
    expect(readConfig({ ...REQUIRED, ...env }, () => `${both}\n`)).toMatchObject({
      value: {
        sinks: [
          { name: 'a', url: 'https://a.example.com/x%2Cy/token' },
          { name: 'stdout', url: 'stdout:' },
          { name: 'b', url: 'HTTP://b.example.com:81' },
        ],
        webhookSecrets: both.split(', '),
      },
    })
  })

  test('names beyond ASCII, in the form that the provider knows', () => {
    const config = read({
      SNAPHOOK_DOMAINS: 'Bücher.example,例え。テスト,xn--bcher-kva.example',
      SNAPHOOK_PUBLIC_URL: 'HTTPS://Hook.Bücher.example:8443/x/bü,https://old.example.com/X',
    })
    expect(config).toMatchObject({
      value: {
        domains: ['xn--bcher-kva.example', 'xn--r8jz45g.xn--zckzah'],
        publicUrls: ['HTTPS://hook.xn--bcher-kva.example:8443/x/bü', 'https://old.example.com/X'],
      },
    })
  })

  test('every setting', () => {
    const env = {
      SNAPHOOK_PUBLIC_URL: 'http://a.example.com/x, https://b.example.com',
      SNAPHOOK_DOMAINS: ' Play.Example.com,live.example.com,play.example.com ',
      SNAPHOOK_LISTEN: '[::]:80',
      SNAPHOOK_OPS_LISTEN: 'localhost:0',
      SNAPHOOK_STORE: 'sqlite:/data/x.db',
      SNAPHOOK_SECRET: `${SECRET}, ${OLDER}`,
      SNAPHOOK_SINKS: 'out=stdout:',
      SNAPHOOK_LIVE_ENDPOINT: 'http://127.0.0.1:8081',
      SNAPHOOK_ON_CONFLICT: 'takeover',
      SNAPHOOK_RECONCILE_INTERVAL: '30s',
      SNAPHOOK_CLOCK_SKEW: 'off',
      SNAPHOOK_KEY_MAX_AGE: 'off',
      SNAPHOOK_KEY_GRACE: '1h',
      SNAPHOOK_API_SECRET: 'x'.repeat(32),
      SNAPHOOK_API_JWKS_URL: 'https://id.example.com/jwks',
      SNAPHOOK_API_ISSUER: 'https://id.example.com',
      SNAPHOOK_API_AUDIENCE: 'snaphook',
      SNAPHOOK_LOG_LEVEL: 'debug',
    }
    expect(read(env)).toMatchObject({
      ok: true,
      value: {
        publicUrls: ['http://a.example.com/x', 'https://b.example.com'],
        domains: ['play.example.com', 'live.example.com'],
        listen: { host: '::', port: 80 },
        opsListen: { host: 'localhost', port: 0 },
        store: { kind: 'sqlite', path: '/data/x.db' },
        secrets: [new Uint8Array(32).fill(1), new Uint8Array(48).fill(2)],
        sinks: [{ name: 'out', url: 'stdout:' }],
        takeover: true,
        reconcileIntervalMs: 30_000,
        clockSkewSeconds: undefined,
        keyMaxAgeMs: undefined,
        keyGraceSeconds: 3_600,
        apiSecret: 'x'.repeat(32),
        apiJwks: {
          url: 'https://id.example.com/jwks',
          issuer: 'https://id.example.com',
          audience: 'snaphook',
        },
        logLevel: 'debug',
      },
    })
  })

  test('a longer retention is one also for what is not delivered', () => {
    const retention = { SNAPHOOK_RETENTION: '60d', SNAPHOOK_STORE_MAX: '1.5GB' }
    expect(read(retention)).toMatchObject({
      value: {
        retentionMs: 60 * 86_400_000,
        retentionMaxMs: 60 * 86_400_000,
        storeMax: { bytes: 1.5e9 },
      },
    })
  })

  test('secrets come from files too', () => {
    const url = 'redis://:password@host?stream=s'
    const files: Record<string, string> = {
      a: `${SECRET}\n`,
      b: `${'y'.repeat(40)}\n`,
      c: `r=${url}\n`,
    }
    const env = {
      SNAPHOOK_SECRET_FILE: 'a',
      SNAPHOOK_API_SECRET_FILE: 'b',
      SNAPHOOK_SINKS_FILE: 'c',
    }
    expect(read(env, (path) => files[path] ?? '')).toMatchObject({
      ok: true,
      value: {
        secrets: [new Uint8Array(32).fill(1)],
        apiSecret: 'y'.repeat(40),
        sinks: [{ name: 'r', url }],
      },
    })
  })

  test('from an empty file is as good as none; but never the secret, which would be made anew', () => {
    const empty = { SNAPHOOK_SINKS_FILE: 'a', SNAPHOOK_API_SECRET_FILE: 'b' }
    expect(read(empty, () => '\n')).toMatchObject({
      ok: true,
      value: { sinks: [{ name: 'stdout', url: 'stdout:' }], apiSecret: undefined },
    })
    expect(read({ SNAPHOOK_SECRET_FILE: 'a' }, () => '\n')).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^SNAPHOOK_SECRET must be .*32 bytes/)],
    })
  })
})

describe('the setting of token', () => {
  test('is read without the others', () => {
    const secret = 'x'.repeat(32)
    expect(readApiSecretSetting({ SNAPHOOK_API_SECRET: secret }, noFile)).toEqual({
      ok: true,
      value: secret,
    })
  })

  test.each([
    [{}, 'is required'],
    [{ SNAPHOOK_API_SECRET: 'short' }, '32 characters'],
    [{ SNAPHOOK_API_SECRET: 'x'.repeat(32), SNAPHOOK_X: 'y' }, 'is not a setting'],
  ])('%o', (env, sentence) => {
    const read = readApiSecretSetting(env, noFile)
    expect(read.ok ? '' : read.problems.join()).toContain(sentence)
  })
})
