// Sinks over TLS: the certificate of the server is checked.
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Sink } from '../../src/ports/sink.ts'
import { createNatsSink } from '../../src/sinks/nats/sink.ts'
import { createRedisSink } from '../../src/sinks/redis/sink.ts'
import { createWebhookSink } from '../../src/sinks/webhook.ts'
import { createAuthority, hasOpenssl } from '../support/network/certificates.ts'
import { hasServer, startNats, startRedis, startRedisWithTls } from '../support/network/servers.ts'
import { listenHere } from '../support/service/listen-here.ts'
import { eventOf } from '../support/store/store-events.ts'
import { temporaryFolder } from '../support/store/store-fixtures.ts'

const never = new AbortController().signal
const trusted = getCACertificates()
const events = [{ ...eventOf(1), seq: 1 }]
let authority: ReturnType<typeof createAuthority>

function closing(sink: Sink): Sink {
  onTestFinished(() => sink.close())
  return sink
}
const redisAt = (port: number) =>
  closing(createRedisSink({ name: 'it', url: `rediss://localhost:${port}?stream=s` }))
const natsAt = (port: number, scheme = 'tls') =>
  closing(createNatsSink({ name: 'it', url: `${scheme}://localhost:${port}?subject=s` }))

function natsSettings(): string[] {
  const { key, cert } = authority.files
  const path = join(temporaryFolder(), 'nats.conf')
  writeFileSync(path, `tls { cert_file: "${cert}", key_file: "${key}" }`)
  return ['-c', path]
}

beforeAll(() => {
  if (!hasOpenssl) return
  authority = createAuthority()
  setDefaultCACertificates([...trusted, authority.ca])
})

afterAll(() => {
  setDefaultCACertificates(trusted)
  authority?.remove()
})

describe.skipIf(!hasOpenssl)('https://', () => {
  async function receiver(host: string, days?: number): Promise<number> {
    const server = createServer(authority.issue(host, days), (_, response) => response.end())
    return listenHere(server)
  }
  const hookAt = (port: number, scheme = 'https') =>
    closing(
      createWebhookSink({
        ...{ name: 'it', url: `${scheme}://localhost:${port}/`, now: Date.now },
        secrets: [`whsec_${Buffer.alloc(32).toString('base64')}`],
      }),
    )

  test.each([
    ['of another host', 'elsewhere.example.com', 90, 'is for another host name'],
    ['that has expired', 'localhost', -1, 'has expired'],
  ])('a certificate %s is about the sink, and said in words', async (_what, host, days, words) => {
    const port = await receiver(host, days)
    const reason = expect.stringMatching(new RegExp(`^its certificate ${words} \\([A-Z_]+\\)$`))
    expect(await hookAt(port).deliver(events, never)).toEqual({ kind: 'refused', reason })
    expect(await hookAt(port).check(never)).toMatchObject({
      reachable: false,
      detail: expect.stringContaining(words),
    })
  })

  test('so is one of an authority that is not known', async () => {
    const port = await receiver('localhost')
    setDefaultCACertificates(trusted)
    onTestFinished(() => setDefaultCACertificates([...trusted, authority.ca]))
    const { reason } = (await hookAt(port).deliver(events, never)) as { reason: string }
    expect(reason).toMatch(/^its certificate is of an authority that is not known here.*NODE_EXTRA/)
  })

  test('a check of http:// on a port that speaks TLS says so', async () => {
    const port = await receiver('localhost')
    expect(await hookAt(port, 'http').check(never)).toEqual({
      reachable: false,
      detail: `localhost:${port} speaks TLS: its URL has to begin with https://`,
    })
  })
})

describe.skipIf(!hasOpenssl || !hasServer('redis-server'))('rediss://', () => {
  test('delivers to a server with a good certificate', async () => {
    authority.issue('localhost')
    await using redis = await startRedisWithTls(authority.files)
    expect(await redisAt(redis.port).deliver(events, never)).toEqual({ kind: 'delivered' })
  })

  test('does not to one with the certificate of another host', async () => {
    authority.issue('elsewhere.example.com')
    await using redis = await startRedisWithTls(authority.files)
    expect(await redisAt(redis.port).deliver(events, never)).toEqual({
      kind: 'refused',
      reason: 'its certificate is for another host name (ERR_TLS_CERT_ALTNAME_INVALID)',
    })
  })

  test('nor to one without TLS', async () => {
    await using redis = await startRedis()
    const outcome = await redisAt(redis.port).deliver(events, never)
    expect(outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^no connection/),
    })
  })
})

describe.skipIf(!hasOpenssl || !hasServer('nats-server'))('tls://', () => {
  test.each(['tls', 'nats'])(
    '%s:// delivers to a server with a good certificate',
    async (scheme) => {
      authority.issue('localhost')
      await using nats = await startNats(...natsSettings())
      const outcome = await natsAt(nats.port, scheme).deliver(events, never)
      expect(outcome).toMatchObject({ kind: 'refused', reason: 'no stream takes s' })
    },
  )

  test('does not to one with the certificate of another host', async () => {
    authority.issue('elsewhere.example.com')
    await using nats = await startNats(...natsSettings())
    expect(await natsAt(nats.port).deliver(events, never)).toMatchObject({
      kind: 'refused',
      reason: 'its certificate is for another host name (ERR_TLS_CERT_ALTNAME_INVALID)',
    })
  })

  test('nor to one without TLS', async () => {
    await using nats = await startNats()
    const outcome = await natsAt(nats.port).deliver(events, never)
    expect(outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^no connection/),
    })
  })
})
