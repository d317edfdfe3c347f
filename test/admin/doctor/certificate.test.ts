// Certificates on a real TLS listener, made by a certificate authority of the test's own.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  createSecureContext,
  createServer,
  getCACertificates,
  type Server,
  setDefaultCACertificates,
} from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { checkCertificate } from '../../../src/admin/doctor/certificate.ts'
import { createAuthority, hasOpenssl } from '../../support/network/certificates.ts'

const never = new AbortController().signal
const DAY_MS = 86_400_000

let authority: ReturnType<typeof createAuthority>
const servers: Server[] = []
const trusted = getCACertificates()
const issue = (host: string) => authority.issue(host)

async function serve(options: Parameters<typeof createServer>[0]): Promise<URL> {
  const server = createServer(options, (socket) => socket.end())
  server.on('tlsClientError', () => undefined)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new URL(`https://localhost:${(server.address() as AddressInfo).port}`)
}

const check = (url: URL, now = Date.now()) => checkCertificate(url, { now, signal: never })

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

describe.runIf(hasOpenssl)('with openssl', () => {
  beforeAll(() => {
    authority = createAuthority()
    setDefaultCACertificates([...trusted, authority.ca])
  })

  afterAll(() => {
    setDefaultCACertificates(trusted)
    authority.remove()
  })

  test('a good one, with the days that are left', async () => {
    const url = await serve(issue('localhost'))
    expect(await check(url)).toMatchObject([{ result: 'ok', subject: url.host }])
    expect((await check(url))[0]?.detail).toMatch(/good for (89|90) more days/)
  })

  test('one that expires soon is a warning', async () => {
    const url = await serve(issue('localhost'))
    const [found] = await check(url, Date.now() + 80 * DAY_MS)
    expect(found).toMatchObject({
      result: 'warning',
      detail: expect.stringMatching(/in (9|10) days/),
    })
  })

  test('one of another host is a problem', async () => {
    const [found, ...rest] = await check(await serve(issue('elsewhere.example.com')))
    expect(found).toMatchObject({ result: 'problem', next: 'get one for this host name' })
    expect(found?.detail).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(rest).toEqual([])
  })

  test('one of an authority that nobody knows is a problem', async () => {
    const good = issue('localhost')
    setDefaultCACertificates(trusted)
    try {
      const [found] = await check(await serve(good))
      expect(found).toMatchObject({ result: 'problem' })
      expect(found?.next).toContain('chain')
    } finally {
      setDefaultCACertificates([...trusted, authority.ca])
    }
  })

  test('one that a client without a server name does not get is a warning on top', async () => {
    const named = issue('localhost')
    const other = issue('default.example.com')
    const context = createSecureContext(named)
    const url = await serve({ ...other, SNICallback: (_, done) => done(null, context) })
    const found = await check(url)
    expect(found).toMatchObject([{ result: 'ok' }, { result: 'warning' }])
    expect(found[1]?.detail).toContain('SNI')
  })
})

test('nobody there: not checked, with the code of the network', async () => {
  const url = await serve({})
  await new Promise((done) => servers.pop()?.close(done))
  const [found] = await check(url)
  expect(found).toMatchObject({ result: 'not_checked' })
  expect(found?.detail).toContain('ECONNREFUSED')
})

test('something that does not speak TLS well: not checked', async () => {
  // Without a certificate no handshake succeeds.
  const [found] = await check(await serve({}))
  expect(found?.result).toBe('not_checked')
})
