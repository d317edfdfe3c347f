import { describe, expect, test } from 'vitest'
import { readApiSecretSetting, readConfig } from '../../src/config/config.ts'

const SECRET = Buffer.alloc(32, 1).toString('base64url')
const OLDER = Buffer.alloc(48, 2).toString('base64url')
const REQUIRED = {
  SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
  SNAPHOOK_DOMAINS: 'play.example.com',
}
const noFile = (): string => {
  throw new Error('no such file')
}

function read(
  env: Record<string, string | undefined>,
  readFile: (path: string) => string = noFile,
) {
  return readConfig({ ...REQUIRED, ...env }, readFile)
}

function problems(env: Record<string, string | undefined>, readFile?: (path: string) => string) {
  const config = read(env, readFile)
  return config.ok ? [] : config.problems
}
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

describe('good settings', () => {
  test('defaults are those of the documentation', () => {
    expect(read({ PATH: '/bin', DEBUG: 'other:*', SNAPHOOK_SECRET: '' })).toEqual({
      ok: true,
      value: {
        publicUrls: ['https://hook.example.com'],
        domains: ['play.example.com'],
        listen: { host: '0.0.0.0', port: 8080 },
        opsListen: { host: '127.0.0.1', port: 9090 },
        storePath: 'data/snaphook.db',
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
        storePath: '/data/x.db',
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

describe('each bad setting has its sentence', () => {
  test.each([
    ['SNAPHOOK_PUBLIC_URL', undefined, 'is required'],
    ['SNAPHOOK_PUBLIC_URL', 'hook.example.com', 'must be an http:// or https:// URL'],
    ['SNAPHOOK_LIVE_ENDPOINT', 'https:live.aliyuncs.com', 'must be an http:// or https:// URL'],
    ['SNAPHOOK_PUBLIC_URL', 'ftp://x', 'must be an http:// or https:// URL'],
    ['SNAPHOOK_PUBLIC_URL', 'https://a:b@x', 'must not hold a user name or password'],
    ['SNAPHOOK_PUBLIC_URL', 'https://x/?a', 'neither query nor fragment'],
    ['SNAPHOOK_PUBLIC_URL', 'https://x/#', 'neither query nor fragment'],
    ['SNAPHOOK_PUBLIC_URL', ' , ', 'holds no URL'],
    ['SNAPHOOK_PUBLIC_URL', `https://x/${'a'.repeat(500)}`, 'too long'],
    ['SNAPHOOK_DOMAINS', undefined, 'is required'],
    ['SNAPHOOK_DOMAINS', ',', 'holds no domain'],
    ['SNAPHOOK_DOMAINS', 'a.b,no domain', 'not a domain name'],
    ['SNAPHOOK_DOMAINS', 'localhost', 'not a domain name'],
    ['SNAPHOOK_LISTEN', '8080', 'must be HOST:PORT'],
    ['SNAPHOOK_LISTEN', ':8080', 'must be HOST:PORT'],
    ['SNAPHOOK_OPS_LISTEN', 'x:65536', 'must be HOST:PORT'],
    ['SNAPHOOK_STORE', 'postgres://x', 'must be sqlite:PATH'],
    ['SNAPHOOK_STORE', 'sqlite::memory:', 'must be sqlite:PATH'],
    ['SNAPHOOK_STORE', 'sqlite:', 'must be sqlite:PATH'],
    ['SNAPHOOK_SECRET', 'short', 'base64url of 32 bytes'],
    ['SNAPHOOK_SECRET', `${SECRET},${'+'.repeat(60)}`, 'base64url of 32 bytes'],
    ['SNAPHOOK_SECRET', ',', 'base64url of 32 bytes'],
    ['SNAPHOOK_SECRET_FILE', 'missing', 'can be read'],
    ['SNAPHOOK_SINKS', 'x=ftp://x', 'sink x must begin with one of stdout:'],
    ['SNAPHOOK_SINKS', 'x=', 'must begin with one of stdout:'],
    ['SNAPHOOK_SINKS', 'x=https://', 'must be an http:// or https:// URL'],
    ['SNAPHOOK_SINKS', 'x=https://u:p@x.example.com', 'must not hold a user name'],
    ['SNAPHOOK_SINKS', 'x=https://x.example.com/?a', 'neither query nor fragment'],
    ['SNAPHOOK_SINKS', 'x=https://x.example.com/#a', 'neither query nor fragment'],
    ['SNAPHOOK_WEBHOOK_SECRET', 'c2VjcmV0', 'must be whsec_ and base64'],
    ['SNAPHOOK_WEBHOOK_SECRET', 'whsec_c2VjcmV0', 'must be whsec_ and base64'],
    ['SNAPHOOK_WEBHOOK_SECRET', `${WEBHOOK_SECRET},whsec_-_-_`, 'must be whsec_ and base64'],
    ['SNAPHOOK_WEBHOOK_SECRET', `whsec_${'A'.repeat(88)}`, 'must be whsec_ and base64'],
    ['SNAPHOOK_WEBHOOK_SECRET', ',', 'must be whsec_ and base64'],
    ['SNAPHOOK_SINKS', 'https://x', 'must be name=url'],
    ['SNAPHOOK_SINKS', 'X=stdout:', 'must be name=url'],
    ['SNAPHOOK_SINKS', 'a=stdout:,a=stdout:', 'names a twice'],
    ['SNAPHOOK_SINKS', ',', 'names no sink'],
    ['SNAPHOOK_LIVE_ENDPOINT', 'live.aliyuncs.com', 'must be an http:// or https:// URL'],
    ['SNAPHOOK_ON_CONFLICT', 'maybe', 'must be refuse or takeover'],
    ['SNAPHOOK_RECONCILE_INTERVAL', '5', 'must be a number and s, m, h or d'],
    ['SNAPHOOK_RECONCILE_INTERVAL', '0.1s', 'must be a number and s, m, h or d'],
    ['SNAPHOOK_CLOCK_SKEW', 'never', 'or off'],
    ['SNAPHOOK_API_SECRET', 'short', '32 characters'],
    ['SNAPHOOK_API_JWKS_URL', 'https://x', 'belong together'],
    ['SNAPHOOK_API_ISSUER', 'x', 'belong together'],
    ['SNAPHOOK_LOG_LEVEL', 'loud', 'must be debug, info, warn or error'],
    ['SNAPHOOK_KEY_GRACE', 'off', 'must be a number and s, m, h or d'],
    ['SNAPHOOK_KEY_MAX_AGE', 'soon', 'or off'],
    ['SNAPHOOK_RETENTION', '0s', 'one second or more'],
    ['SNAPHOOK_RETENTION_MAX', '6d', 'as long as SNAPHOOK_RETENTION or longer'],
    ['SNAPHOOK_STORE_MAX', '80', 'a size of 1MB or more, such as 20GB, or a share such as 80%'],
    ['SNAPHOOK_STORE_MAX', '0%', 'a size of 1MB'],
    ['SNAPHOOK_STORE_MAX', '101%', 'a size of 1MB'],
    ['SNAPHOOK_STORE_MAX', '999KB', 'a size of 1MB'],
    ['DEBUG', '*', 'unset it'],
    ['DEBUG', 'express,httpx:body', 'unset it'],
    ['NODE_DEBUG', 'http', 'unset it'],
    ['NODE_DEBUG', 'timer,NET', 'unset it'],
    ['NODE_DEBUG', 'tls', 'unset it'],
    ['NODE_DEBUG', 'fetch', 'unset it'],
    ['NODE_DEBUG', 'undici', 'unset it'],
    ['NODE_DEBUG', '*', 'unset it'],
    ['NODE_DEBUG', 'h*', 'unset it'],
    ['SNAPHOOK_DOMAINS', '"play.example.com"', 'wrapped in quotes'],
    ['SNAPHOOK_PUBLIC_URL', "'https://hook.example.com'", 'wrapped in quotes'],
    ['SNAPHOOK_SECRET', `"${SECRET}"`, 'docker run --env-file and files keep them'],
    ['SNAPHOOK_SINKS', '"stdout:"', 'wrapped in quotes'],
    ['ALIBABA_CLOUD_ACCESS_KEY_SECRET', '"secret"', 'wrapped in quotes'],
    ['HTTPS_PROXY', '"http://proxy:3128"', 'wrapped in quotes'],
    ['SNAPHOOK_DOMAINS', 'bü cher.example', 'not a domain name'],
    ['SNAPHOOK_DOMAINS', 'bücher', 'not a domain name'],
    ['SNAPHOOK_PUBLIC_URI', 'x', 'is not a setting'],
    ['SNAPHOOK_DOMAINS_FILE', 'x', 'is not a setting'],
  ])('%s=%s', (name, value, sentence) => {
    const found = problems({ [name]: value })
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(name)
    expect(found[0]).toContain(sentence)
  })

  test('a file whose text is wrapped in quotes', () => {
    const read = readConfig({ ...REQUIRED, SNAPHOOK_SECRET_FILE: '/x' }, () => `"${SECRET}"\n`)
    expect(read).toMatchObject({ problems: [expect.stringMatching(/_FILE is wrapped in quotes/)] })
    expect(JSON.stringify(read)).not.toContain(SECRET)
  })

  test.each(['timer', 'worker,fs', 'httpx', 'nothing*', ''])(
    'NODE_DEBUG=%s shows nothing',
    (list) => {
      expect(read({ NODE_DEBUG: list }).ok).toBe(true)
    },
  )

  test('a secret and its file are one too many', () => {
    const env = { SNAPHOOK_SECRET: SECRET, SNAPHOOK_SECRET_FILE: 'a' }
    expect(problems(env)).toEqual([
      'SNAPHOOK_SECRET_FILE and SNAPHOOK_SECRET are both set: remove one',
    ])
  })

  test('all at once, and no secret is repeated', () => {
    const env = {
      SNAPHOOK_DOMAINS: '',
      SNAPHOOK_SECRET: 'hush-hush',
      SNAPHOOK_API_SECRET: 'hush-api',
      SNAPHOOK_LISTEN: 'x',
      SNAPHOOK_X: '1',
    }
    const found = problems(env)
    expect(found).toHaveLength(5)
    expect(found.join()).not.toContain('hush')
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
