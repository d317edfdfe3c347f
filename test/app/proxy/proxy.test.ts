import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { createApiAuth } from '../../../src/app/api-tokens.ts'
import { createProxyFor, showProxy, useProxies } from '../../../src/app/proxy/proxy.ts'
import { systemClock } from '../../../src/app/system-clock.ts'
import { readConfig } from '../../../src/config/config.ts'
import { assertNoSecrets } from '../../support/no-secrets.ts'

const PROXY = 'http://user:hush-hush@proxy.example.com:3128/'

function configOf(env: Record<string, string>) {
  const required = {
    SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
    SNAPHOOK_DOMAINS: 'play.example.com',
  }
  return readConfig({ ...required, ...env }, String)
}

function proxiesOf(env: Record<string, string>) {
  const config = configOf(env)
  return config.ok ? config.value.proxies : config.problems
}

test.each([
  [{}, undefined],
  [{ HTTPS_PROXY: '' }, undefined],
  [{ NO_PROXY: 'a' }, undefined],
  [{ HTTPS_PROXY: PROXY }, { http: undefined, https: PROXY, direct: [] }],
  [
    { http_proxy: 'small:1', HTTP_PROXY: 'http://large:1', NO_PROXY: ' a, .b  c:80,' },
    { http: 'http://small:1/', https: undefined, direct: ['a', '.b', 'c:80'] },
  ],
  [{ HTTPS_PROXY: 'socks5://hush@x' }, [expect.stringMatching(/^HTTPS_PROXY must be the http:/)]],
])('%o', (env: Record<string, string>, expected) => {
  const proxies = proxiesOf(env)
  expect(proxies).toEqual(expected)
  if (Array.isArray(proxies)) assertNoSecrets('the problem', proxies.join(), { login: 'hush' })
})

const RULES = 'exact.example,.suffix.example,*.star.example,port.example:8443,10.0.0.0/8,fd00::/8,'

test.each([
  ['https://live.aliyuncs.com/', true],
  ['http://live.aliyuncs.com/', false],
  ['https://exact.example/', false],
  ['https://EXACT.example/', false],
  ['https://sub.exact.example/', false],
  ['https://not-exact.example/', true],
  ['https://a.suffix.example/', false],
  ['https://a.star.example/', false],
  ['https://port.example:8443/', false],
  ['https://port.example/', true],
  ['https://10.1.2.3/', false],
  ['https://11.1.2.3/', true],
  ['https://[fd12::1]/', false],
  ['https://[fe12::1]/', true],
  ['https://127.0.0.1:8080/', false],
  ['https://127.9.9.9/', false],
  ['https://[::1]/', false],
  ['https://localhost/', false],
  ['https://x.localhost/', false],
  ['https://100.100.100.200/latest/', false],
  ['https://169.254.169.254/latest/', false],
])('%s goes through the proxy for https: %s', (url, expected) => {
  const proxyFor = createProxyFor({ http: undefined, https: PROXY, direct: RULES.split(',') })
  expect(proxyFor(url)).toBe(expected ? PROXY : undefined)
})

test('with * all is reached without it', () => {
  const proxyFor = createProxyFor({ http: PROXY, https: PROXY, direct: ['*'] })
  expect(proxyFor('https://live.aliyuncs.com')).toBeUndefined()
})

test('what is shown of it has no password', () => {
  expect(showProxy(PROXY)).toBe('http://proxy.example.com:3128')
})

test('fetch goes through it while it is in use, plain http without a tunnel, with its login', async () => {
  const { seen, port, url } = await openProxy('by the proxy')
  const config = configOf({ HTTP_PROXY: url, HTTPS_PROXY: url })
  if (!config.ok) throw new TypeError(config.problems.join())
  const restore = await useProxies(config.value)
  try {
    expect(await (await fetch('http://sink.test/x')).text()).toBe('by the proxy')
    await expect(fetch('https://sink.test/x')).rejects.toThrow()
    expect(await (await fetch(`http://127.0.0.1:${port}/direct`)).text()).toBe('by the proxy')
  } finally {
    restore()
  }
  await expect(fetch('http://sink.test/x')).rejects.toThrow()
  expect(seen).toEqual([
    'GET http://sink.test/x Basic dXNlcjpwYXNz',
    'CONNECT sink.test:443',
    'GET /direct undefined',
  ])
})

test('the key set of API tokens comes through it', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }]
  const { seen, url } = await openProxy(JSON.stringify({ keys }))
  const config = configOf({
    HTTP_PROXY: url,
    SNAPHOOK_API_JWKS_URL: 'http://login.test/keys',
    SNAPHOOK_API_ISSUER: 'https://login.test',
    SNAPHOOK_API_AUDIENCE: 'snaphook',
  })
  if (!config.ok) throw new TypeError(config.problems.join())
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuer('https://login.test')
    .setAudience('snaphook')
    .setExpirationTime('1h')
    .sign(privateKey)
  const restore = await useProxies(config.value)
  try {
    const auth = createApiAuth(config.value, systemClock)
    expect(await auth?.verify(`Bearer ${token}`)).toBeDefined()
  } finally {
    restore()
  }
  expect(seen).toEqual(['GET http://login.test/keys Basic dXNlcjpwYXNz'])
})

/** A proxy that answers by itself, and opens no tunnel. */
async function openProxy(answer: string) {
  const seen: string[] = []
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`)
    response.end(answer)
  })
  proxy.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`)
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const { port } = proxy.address() as AddressInfo
  return { seen, port, url: `http://user:pass@127.0.0.1:${port}` }
}
