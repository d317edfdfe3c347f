// The webhook sink over real sockets, read with the libraries that receivers use.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { CloudEvent, HTTP } from 'cloudevents'
import { Webhook } from 'standardwebhooks'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSinks } from '../../src/sinks/create-sinks.ts'
import { createWebhookSink, outcomeOf, WEBHOOK } from '../../src/sinks/webhook.ts'
import { assertNoSecrets } from '../support/no-secrets.ts'
import { listenHere } from '../support/service/listen-here.ts'
import { eventOf } from '../support/store/store-events.ts'

const NEW_SECRET = `whsec_${Buffer.alloc(32, 'new').toString('base64')}`
const OLD_SECRET = `whsec_${Buffer.alloc(32, 'old').toString('base64')}`
const TOKEN = 'tokenInThePath'
const never = new AbortController().signal
const NOW = Date.parse('2026-01-02T03:04:05Z')
const events = (...seqs: number[]) => seqs.map((seq) => ({ ...eventOf(seq), seq }))

type Received = { method: string; path: string; headers: IncomingHttpHeaders; body: string }
type Answer = { status: number; headers?: Record<string, string>; body?: string }

/** A receiver that keeps what it is sent; without an answer it hangs. */
async function receiver(answer: Answer | null = { status: 204 }) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    received.push({ method, path, headers, body: await text(request) })
    if (answer !== null) response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  const port = await listenHere(server)
  return { received, server, url: `http://127.0.0.1:${port}/hooks/${TOKEN}` }
}

function sinkTo(url: string, over: { secrets?: string[]; timeoutMs?: number } = {}) {
  const secrets = [NEW_SECRET, OLD_SECRET]
  return createWebhookSink({ name: 'hook', url, secrets, now: Date.now, ...over })
}

// As fetch has it, which would fail for ever with no hint at the port.
test.each([1, 21, 6_000, 6_666, 10_080])('port %i is a problem of the settings', async (port) => {
  const [blocked, free] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 30_000}`]
  expect(WEBHOOK.problem(blocked)).toContain(`another port than ${port}`)
  expect(WEBHOOK.problem(free)).toBeUndefined()
  await expect(fetch(blocked)).rejects.toMatchObject({ cause: { message: 'bad port' } })
})

describe('what a receiver is sent', () => {
  test('is a batch that the CloudEvents library reads', async () => {
    const { received, url } = await receiver()
    const body = new Uint8Array([0xff, 0x00])
    const sent = [...events(1, 2), { ...eventOf(3, { body }), seq: 3 }]
    expect(await sinkTo(url).deliver(sent, never)).toEqual({ kind: 'delivered' })
    const [request] = received as [Received]
    expect([request.method, request.path]).toEqual(['POST', `/hooks/${TOKEN}`])
    expect(request.headers['content-type']).toMatch(/^application\/cloudevents-batch\+json/)
    const read = HTTP.toEvent<{ seq: number }>({ headers: request.headers, body: request.body })
    expect(Array.isArray(read) && read.map(({ id, data }) => [id, data?.seq])).toEqual(
      sent.map(({ id, seq }) => [id, seq]),
    )
    for (const each of JSON.parse(request.body)) {
      expect(new CloudEvent(each).validate()).toBe(true)
    }
  })

  test.each([
    ['the new secret', NEW_SECRET],
    ['the old one', OLD_SECRET],
  ])('verifies with %s, in the library of Standard Webhooks', async (_which, secret) => {
    const { received, url } = await receiver()
    await sinkTo(url).deliver(events(1), never)
    const [{ headers, body }] = received as [Received]
    const verify = (payload: string) =>
      new Webhook(secret).verify(payload, headers as Record<string, string>)
    expect(verify(body)).toMatchObject([{ id: eventOf(1).id }])
    expect(() => verify(body.replace('"1.0"', '"1.1"'))).toThrow('No matching signature')
    expect(String(headers['webhook-signature']).split(' ')).toHaveLength(2)
    const other = new Webhook(`whsec_${Buffer.alloc(32, 'x').toString('base64')}`)
    expect(() => other.verify(body, headers as Record<string, string>)).toThrow()
  })

  test('has one id for the same events, and another for others', async () => {
    const { received, url } = await receiver()
    for (const seqs of [[1, 2], [1, 2], [1], [2, 1]]) {
      await sinkTo(url).deliver(events(...seqs), never)
    }
    const ids = received.map(({ headers }) => headers['webhook-id'])
    expect(ids[1]).toBe(ids[0])
    expect(new Set(ids).size).toBe(3)
  })
})

describe('an answer', () => {
  test.each<[status: number, kind: string, strike: boolean | undefined]>([
    [200, 'delivered', undefined],
    [299, 'delivered', undefined],
    [301, 'refused', undefined],
    [307, 'refused', undefined],
    [400, 'rejected', undefined],
    [401, 'refused', undefined],
    [403, 'refused', undefined],
    [404, 'refused', undefined],
    [405, 'refused', undefined],
    [408, 'failed', true],
    [409, 'refused', undefined],
    [410, 'refused', undefined],
    [413, 'rejected', undefined],
    [415, 'rejected', undefined],
    [422, 'rejected', undefined],
    [425, 'failed', false],
    [429, 'failed', false],
    [451, 'refused', undefined],
    [500, 'failed', true],
    [503, 'failed', true],
    [599, 'failed', true],
  ])('%i: %s', (status, kind, strike) => {
    const outcome = outcomeOf(status, null, NOW)
    expect(outcome.kind).toBe(kind)
    expect(outcome.kind === 'failed' ? outcome.strike : undefined).toBe(strike)
    if (outcome.kind !== 'delivered') expect(outcome.reason).toBe(`answered ${status}`)
  })

  test.each([
    ['120', 120_000],
    ['0', 0],
    [null, 0],
    ['soon', 0],
    ['-5', 0],
    ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
    ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
  ])('Retry-After: %s', (header, retryAfterMs) => {
    expect(outcomeOf(429, header, NOW)).toMatchObject({ kind: 'failed', retryAfterMs })
  })

  test('that redirects is not followed', async () => {
    const target = await receiver()
    const { url, received } = await receiver({ status: 308, headers: { Location: target.url } })
    expect(await sinkTo(url).deliver(events(1), never)).toMatchObject({ kind: 'refused' })
    expect([received.length, target.received.length]).toEqual([1, 0])
  })

  test('is read from its status and Retry-After alone; nothing of its body shows', async () => {
    const headers = { 'Retry-After': '7' }
    const { url } = await receiver({ status: 503, headers, body: `no: ${TOKEN}` })
    expect(await sinkTo(url).deliver(events(1), never)).toEqual({
      kind: 'failed',
      reason: 'answered 503',
      strike: true,
      retryAfterMs: 7_000,
    })
  })
})

describe('the connection', () => {
  async function at(server: ReturnType<typeof createServer>): Promise<string> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${port}/`
  }

  test('serves one batch after the other, also where the rest of an answer comes a little later', async () => {
    let connections = 0
    const server = createServer(async (request, response) => {
      await text(request)
      response.write('{"ok":')
      setTimeout(() => response.end('true}'), 5)
    }).on('connection', () => (connections += 1))
    const sink = sinkTo(await at(server))
    for (let n = 0; n < 20; n += 1) {
      expect(await sink.deliver(events(n), never)).toEqual({ kind: 'delivered' })
    }
    // As many as deliveries begin within those 5 ms; not one for each.
    expect(connections).toBeLessThan(15)
    await sink.close()
  })

  test.each([
    ['an answer without end', (write: () => void) => write()],
    ['an answer that stands still', () => undefined],
  ])('%s holds nothing up, and ends with its connection', async (_what, go) => {
    const closed = Promise.withResolvers<void>()
    const server = createServer(async (request, response) => {
      await text(request)
      response.on('close', () => closed.resolve())
      response.writeHead(200)
      const write = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(1_024), () => setImmediate(write))
      }
      response.write('x')
      go(write)
    })
    const sink = sinkTo(await at(server))
    expect(await sink.deliver(events(1), never)).toEqual({ kind: 'delivered' })
    await sink.close()
    await closed.promise
  })
})

describe('no answer', () => {
  test('in time', async () => {
    const { url } = await receiver(null)
    const outcome = await sinkTo(url, { timeoutMs: 50 }).deliver(events(1), never)
    expect(outcome).toEqual({ kind: 'failed', reason: 'no answer within 0.05 s', strike: true })
  })

  test('before it was stopped', async () => {
    const { url } = await receiver(null)
    const stop = new AbortController()
    const delivery = sinkTo(url).deliver(events(1), stop.signal)
    stop.abort()
    expect(await delivery).toEqual({ kind: 'failed', reason: 'stopped before it answered' })
  })

  test('on a connection that breaks: what was sent may have been too much', async () => {
    const { url, server } = await receiver(null)
    server.on('request', (request) => request.socket.destroy())
    const outcome = await sinkTo(url).deliver(events(1), never)
    const reason = expect.stringMatching(/^no answer: it closed the connection/)
    expect(outcome).toEqual({ kind: 'failed', reason, strike: true })
  })

  test('where nobody listens: the reason shows neither URL nor secret', async () => {
    const { url, server } = await receiver()
    server.close()
    await once(server, 'close')
    const outcome = await sinkTo(url).deliver(events(1), never)
    const reason = 'no connection: nothing listens there (ECONNREFUSED)'
    expect(outcome).toEqual({ kind: 'failed', reason })
    assertNoSecrets('the outcome', JSON.stringify(outcome), { TOKEN, NEW_SECRET, url })
  })
})

describe('a check', () => {
  test('finds a receiver that is there, and sends it nothing', async () => {
    const { url, received, server } = await receiver()
    const connected = once(server, 'connection')
    const found = await sinkTo(url).check(never)
    await connected
    expect(found).toEqual({ reachable: true, detail: `${new URL(url).host} takes connections` })
    expect(received).toEqual([])
  })

  test('says how it fails where nobody listens, without what may be a token', async () => {
    const { url, server } = await receiver()
    server.close()
    await once(server, 'close')
    const found = await sinkTo(url).check(never)
    const { host } = new URL(url)
    const detail = `${host}: no connection: nothing listens there (ECONNREFUSED)`
    expect(found).toEqual({ reachable: false, detail })
    assertNoSecrets('what was found', JSON.stringify(found), { TOKEN, NEW_SECRET })
  })

  test('of https:// takes TLS', async () => {
    const { url } = await receiver()
    const found = await sinkTo(url.replace('http:', 'https:')).check(never)
    expect(found).toMatchObject({ reachable: false, detail: expect.stringMatching(/no TLS there/) })
  })

  test('ends when it is told to', async () => {
    const { url } = await receiver()
    const found = await sinkTo(url).check(AbortSignal.abort())
    expect(found).toEqual({ reachable: false, detail: `gave up on ${new URL(url).host}` })
  })
})

test.each(['https', 'http'])('%s: is a webhook', (scheme) => {
  const settings = [{ name: 'hook', url: `${scheme}://sink.example.com/x` }]
  const world = { stdout: {} as never, webhookSecrets: [NEW_SECRET], now: Date.now }
  expect(createSinks(settings, world).map(({ name }) => name)).toEqual(['hook'])
})
