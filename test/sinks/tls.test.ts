// Sinks over TLS: the certificate of the server is checked.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Sink } from '../../src/ports/sink.ts'
import { createNatsSink } from '../../src/sinks/nats/sink.ts'
import { createRedisSink } from '../../src/sinks/redis/sink.ts'
import { createAuthority, hasOpenssl } from '../support/certificates.ts'
import { hasServer, startNats, startRedis, startRedisWithTls } from '../support/servers.ts'
import { eventOf } from '../support/store-events.ts'
import { temporaryFolder } from '../support/store-fixtures.ts'

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
      kind: 'failed',
      reason: 'no connection (ERR_TLS_CERT_ALTNAME_INVALID)',
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
      kind: 'failed',
      reason: 'no connection (ERR_TLS_CERT_ALTNAME_INVALID)',
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
