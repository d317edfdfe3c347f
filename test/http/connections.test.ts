// Connections through real sockets: slow and silent ones, too many, and requests in a row.
import { describe, expect, test } from 'vitest'
import type { Limits } from '../../src/http/listen.ts'
import { sendCallback, useListeners } from './harness.ts'
import { openRaw, rawPost, until } from './raw-client.ts'

/** Small enough for quick tests, large enough for a busy machine. */
const QUICK: Partial<Limits> = {
  headersTimeoutMs: 150,
  requestTimeoutMs: 300,
  checkIntervalMs: 25,
}
const KIB = 1024
const harness = useListeners()

describe('a connection', () => {
  test('carries one callback after the other', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    for (const count of [1, 2, 3]) {
      client.send(rawPost({ body: `{"n":${count}}` }))
      expect(await client.answers(count)).toEqual(Array(count).fill(200))
    }
    expect(client.text()).toContain('{"Code":0,"Msg":"Success"}')
    expect(harness.receiver.bodies.map((body) => Buffer.from(body).toString())).toEqual([
      '{"n":1}',
      '{"n":2}',
      '{"n":3}',
    ])
    client.socket.destroy()
  })

  test('survives refusals whose small bodies arrive', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(rawPost({ signature: 'bad', body: 'x'.repeat(4 * KIB) }))
    expect(await client.answers(1)).toEqual([401])
    client.send(rawPost({ path: '/nothing', body: 'x'.repeat(60 * KIB) }))
    expect(await client.answers(2)).toEqual([401, 404])
    client.send(rawPost({ body: '{}' }))
    expect(await client.answers(3)).toEqual([401, 404, 200])
    client.socket.destroy()
  })

  test('may be HTTP/1.0, without Host', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send('GET /callbacks/play.example.com HTTP/1.0\r\n\r\n')
    expect(await client.answers(1)).toEqual([405])
    await client.closed()
  })

  test('may ask to continue first', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(rawPost({ headers: { 'Content-Length': 2, Expect: '100-continue' } }))
    await until(() => client.text().includes('HTTP/1.1 100 Continue'), 'the go-ahead')
    client.send('{}')
    expect(await client.answers(1)).toEqual([200])
    client.socket.destroy()
  })

  test('may send its body in chunks', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    const chunked = { 'Transfer-Encoding': 'chunked' }
    client.send(rawPost({ headers: chunked, body: '2\r\n{"\r\n4\r\na":1\r\n1\r\n}\r\n0\r\n\r\n' }))
    expect(await client.answers(1)).toEqual([200])
    expect(Buffer.from(harness.receiver.bodies[0] ?? []).toString()).toBe('{"a":1}')
    client.socket.destroy()
  })

  test('may pipeline a few callbacks, answered in order', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    const requests = ['{}', undefined, '{}'].map((body, n) =>
      rawPost(body ? { body } : { signature: 'bad', path: `/callbacks/${n}` }),
    )
    client.send(requests.join(''))
    expect(await client.answers(3)).toEqual([200, 401, 200])
    client.socket.destroy()
  })
})

describe('slow and silent senders', () => {
  test('a connection that never sends a byte ends', async () => {
    const { port } = await harness.start(QUICK)
    const client = await openRaw(port)
    await client.closed()
    expect(harness.receiver.requests).toEqual([])
  })

  test('headers that trickle are 408', async () => {
    const { port } = await harness.start(QUICK)
    const client = await openRaw(port)
    client.send('POST /callbacks/play.example.com HTTP/1.1\r\n')
    const trickle = setInterval(() => client.send('X: y\r\n'), 20)
    await client.closed()
    clearInterval(trickle)
    expect(client.statuses()).toEqual([408])
    expect(harness.receiver.requests).toEqual([])
  })

  test('a body that trickles is aborted', async () => {
    const { port } = await harness.start(QUICK)
    const client = await openRaw(port)
    client.send(rawPost({ headers: { 'Content-Length': 10_000 }, body: '{' }))
    const trickle = setInterval(() => client.send(' '), 20)
    await client.closed()
    clearInterval(trickle)
    await until(() => harness.receiver.outcomes.length === 1, 'the outcome')
    expect(harness.receiver.outcomes).toEqual(['aborted'])
  })

  test('an idle connection ends after its own time, not by the silence', async () => {
    const { port } = await harness.start({ keepAliveTimeoutMs: 100, silenceTimeoutMs: 20 })
    const client = await openRaw(port)
    client.send(rawPost({ body: '{}' }))
    await client.answers(1)
    const begun = performance.now()
    await client.closed()
    expect(performance.now() - begun).toBeGreaterThan(90)
  })

  test('an answer that nobody waits for ends with the silence', async () => {
    const { port } = await harness.start({ silenceTimeoutMs: 100 })
    const release = harness.receiver.hold()
    const client = await openRaw(port)
    const begun = performance.now()
    client.send(rawPost({ body: '{}' }))
    await client.closed()
    expect(performance.now() - begun).toBeGreaterThan(90)
    // It was closed while the receiver was still at it.
    expect(harness.receiver.outcomes).toEqual([])
    release()
    await until(() => harness.receiver.outcomes.length === 1, 'the outcome')
  })

  test('2,000 idle connections keep nobody waiting', async () => {
    const { port } = await harness.start()
    const idle = await Promise.all(Array.from({ length: 2_000 }, () => openRaw(port)))
    const begun = performance.now()
    expect(await sendCallback(port)).toBe(200)
    expect(performance.now() - begun).toBeLessThan(3_000)
    for (const client of idle) client.socket.destroy()
  })
})

describe('the bound on connections', () => {
  test('the one that was idle longest makes room', async () => {
    const { port } = await harness.start({ maxConnections: 3 })
    const first = await openRaw(port)
    const second = await openRaw(port)
    const third = await openRaw(port)
    // The first one has spoken since: now the second has been idle longest.
    first.send(rawPost({ body: '{}' }))
    await first.answers(1)

    expect(await sendCallback(port)).toBe(200)
    await second.closed()
    expect([first.isClosed(), third.isClosed()]).toEqual([false, false])
    first.send(rawPost({ body: '{}' }))
    expect(await first.answers(2)).toEqual([200, 200])
    first.socket.destroy()
    third.socket.destroy()
  })

  test('one with a callback in flight is left alone, and a new one refused', async () => {
    const { port } = await harness.start({ maxConnections: 1 })
    const release = harness.receiver.hold()
    const busy = await openRaw(port)
    busy.send(rawPost({ body: '{}' }))
    await until(() => harness.receiver.requests.length === 1, 'the callback')

    const refused = await openRaw(port)
    await refused.closed()
    release()
    expect(await busy.answers(1)).toEqual([200])
    busy.socket.destroy()
  })

  test('a flood of pipelined requests ends its connection', async () => {
    const { port } = await harness.start({ maxPipelined: 4 })
    const release = harness.receiver.hold()
    const client = await openRaw(port)
    client.send(rawPost({ signature: 'bad' }).repeat(1_000))
    await client.closed()
    expect(harness.receiver.requests).toHaveLength(4)
    release()
    await until(() => harness.receiver.outcomes.length === 4, 'the outcomes')
    expect(await sendCallback(port)).toBe(200)
  })
})
