// A network that lets nothing out but through a proxy: credentials, the provider's API, the probe and
// the sinks go through the proxy that the environment names.
import { writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { createAuthority, hasOpenssl } from '../../support/network/certificates.ts'
import { assertNoSecrets } from '../../support/no-secrets.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import { DOMAIN, keyOf, listening, setStage, settled } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const STS = 'sts.aliyuncs.com'
const PASSWORD = 'hush-hush-proxy'

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A proxy that leads each host of `routes` to a server of the test, and nothing else anywhere. */
async function openProxy(routes: Readonly<Record<string, () => string>>) {
  const seen: string[] = []
  const server = createServer((asked, response) => {
    const url = new URL(asked.url ?? '')
    seen.push(`${asked.method} ${url.host}`)
    const target = routes[url.host]?.()
    if (target === undefined) return response.writeHead(502).end()
    const onward = request(target + url.pathname + url.search, {
      method: asked.method ?? 'GET',
      headers: asked.headers,
    })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    return asked.pipe(onward)
  })
  server.on('connect', (asked, socket) => {
    seen.push(`CONNECT ${asked.url}`)
    const target = routes[(asked.url ?? '').replace(/:443$/, '')]?.()
    if (target === undefined) return socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    const { hostname, port } = new URL(target)
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    return socket.on('error', () => onward.destroy())
  })
  const url = await listen(server)
  onTestFinished(() => server.closeAllConnections())
  return { url: url.replace('://', `://user:${PASSWORD}@`), seen }
}

test.skipIf(!hasOpenssl)('all that leaves the machine goes through the proxy', async () => {
  await using stage = await setStage()
  const authority = createAuthority()
  onTestFinished(() => authority.remove())
  const { ALIBABA_CLOUD_ACCESS_KEY_ID: id, ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret } =
    stage.settings
  const sts = createTlsServer(authority.issue(STS), async (asked, response) => {
    await text(asked)
    const Expiration = new Date(Date.now() + 3_600_000).toISOString()
    const Credentials = { AccessKeyId: id, AccessKeySecret: secret, SecurityToken: 't', Expiration }
    response.end(JSON.stringify({ RequestId: 'r', Credentials }))
  })
  const received: string[] = []
  const sink = createServer(async (asked, response) => {
    received.push(await text(asked))
    response.end()
  })
  const [stsUrl, sinkUrl] = [await listen(sts), await listen(sink)]
  const proxy = await openProxy({
    [STS]: () => stsUrl,
    'live.test': () => stage.emulator.url,
    'hook.test': () => stage.front.url,
    'sink.test': () => sinkUrl,
  })
  const tokenFile = join(stage.folder, 'oidc')
  writeFileSync(tokenFile, 'an OIDC token')
  const settings = {
    ALIBABA_CLOUD_ACCESS_KEY_ID: '',
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: '',
    ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1:role/snaphook',
    ALIBABA_CLOUD_OIDC_PROVIDER_ARN: 'acs:ram::1:oidc-provider/x',
    ALIBABA_CLOUD_OIDC_TOKEN_FILE: tokenFile,
    NODE_EXTRA_CA_CERTS: authority.files.ca,
    http_proxy: proxy.url,
    HTTPS_PROXY: proxy.url,
    SNAPHOOK_LIVE_ENDPOINT: 'http://live.test',
    SNAPHOOK_PUBLIC_URL: 'http://hook.test',
    SNAPHOOK_SINKS: 'hook=http://sink.test/events',
    SNAPHOOK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'x').toString('base64')}`,
    SNAPHOOK_LOG_LEVEL: 'debug',
  }
  const service = await listening(stage.run(['serve'], settings))
  stage.front.lead(service.callbacks)
  await settled(service)
  const url = `${service.callbacks}/callbacks/${DOMAIN}`
  expect(await sendCallback(url, { key: keyOf(0), signedHost: 'hook.test' })).toMatchObject({
    status: 200,
  })
  await until('the delivery', () => received.length > 0)
  await until('the probe', () =>
    service.log().some(({ msg }) => msg === 'reached through the public URL'),
  )
  expect([...new Set(proxy.seen)].sort()).toEqual([
    `CONNECT ${STS}:443`,
    'GET hook.test',
    'POST live.test',
    'POST sink.test',
  ])
  assertNoSecrets('the log', service.stderr.text(), { password: PASSWORD })
  const doctor = await stage.finish(['doctor'], settings)
  expect(doctor.stdout).toMatch(
    /^ok +proxy +http:\S+ +is used for live\.test, hook\.test, sink\.test$/m,
  )
  expect(doctor.stdout).not.toMatch(/^problem +(?:sink|public_url)/m)
  assertNoSecrets('doctor', doctor.stdout + doctor.stderr, { password: PASSWORD })
})
