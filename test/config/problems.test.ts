// What is said of settings that are not good.
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { problems, REQUIRED, read, SECRET, WEBHOOK_SECRET } from './reading.ts'

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
    ['SNAPHOOK_SINKS', 'x=ftp://x,y=https://', '; sink y must be an http:// or https:// URL'],
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
