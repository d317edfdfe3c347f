// Requests that no honest sender makes, through real sockets: large, broken off, malformed.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { sendCallback, useListeners } from './harness.ts'
import { openRaw, rawPost, until } from './raw-client.ts'

const KIB = 1024
const MIB = 1024 * KIB
const harness = useListeners()

/** What lies outside the heap and is still in use. */
function buffersInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers
}

describe('large bodies', () => {
  test.each([
    ['good', 413],
    ['bad', 413],
  ] as const)('a declared MiB under a %s signature is %i', async (signature, status) => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(rawPost({ signature, headers: { 'Content-Length': MIB } }))
    expect(await client.answers(1)).toEqual([status])
    client.socket.destroy()
  })

  test('a whole MiB does not cost the sender its answer', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(rawPost({ body: 'x'.repeat(MIB) }))
    expect(await client.answers(1)).toEqual([413])
    client.socket.destroy()
  })

  test.each([
    ['good', 413, 'too_large'],
    ['bad', 401, 'bad_signature'],
  ] as const)('endless chunks under a %s signature are %i, then closed', async (...row) => {
    const [signature, status, outcome] = row
    const { port } = await harness.start()
    const client = await openRaw(port)
    const chunk = `4000\r\n${'x'.repeat(16 * KIB)}\r\n`
    const before = buffersInUse()
    client.send(rawPost({ signature, headers: { 'Transfer-Encoding': 'chunked' } }))
    const pump = () => {
      while (!client.socket.destroyed && client.socket.write(chunk)) {}
    }
    client.socket.on('drain', pump)
    pump()
    expect(await client.answers(1)).toEqual([status])
    await client.closed(2_000)
    expect(harness.receiver.outcomes).toEqual([outcome])
    // Freed buffers are given back in the background.
    await until(() => buffersInUse() - before < 4 * MIB, 'the memory of the body')
  })

  test('a body that stops after the refusal holds the connection for a moment only', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(rawPost({ signature: 'bad', headers: { 'Content-Length': 1_000 }, body: '{' }))
    expect(await client.answers(1)).toEqual([401])
    await client.closed(2_000)
  })

  test.each(['GET', 'HEAD'])('a %s with a body is the last of its connection', async (method) => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`)
    expect(await client.answers(1)).toEqual([404])
    expect(client.text()).toContain('Connection: close')
    await client.closed()
  })
})

describe('broken uploads', () => {
  test.each([
    ['declared', { 'Content-Length': 1_000 }, '{'],
    ['chunked', { 'Transfer-Encoding': 'chunked' }, '10\r\n{'],
  ])('a %s body that breaks off is aborted', async (_, headers, body) => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(rawPost({ headers: headers as Record<string, string>, body }))
    await until(() => harness.receiver.requests.length === 1, 'the request')
    client.socket.resetAndDestroy()
    await until(() => harness.receiver.outcomes.length === 1, 'the outcome')
    expect(harness.receiver.outcomes).toEqual(['aborted'])
    expect(await sendCallback(port)).toBe(200)
  })

  test('one that breaks off before the receiver reads is aborted as well', async () => {
    const { port } = await harness.start()
    const release = harness.receiver.hold()
    const client = await openRaw(port)
    client.send(rawPost({ headers: { 'Content-Length': 1_000 }, body: '{' }))
    await until(() => harness.receiver.requests.length === 1, 'the request')
    client.socket.resetAndDestroy()
    await client.closed()
    expect(await callbackWhile(port)).toBe(401)
    release()
    await until(() => harness.receiver.outcomes.includes('aborted'), 'the outcome')
  })

  /** A round trip that is not held: when it is back, the server has seen what came before. */
  async function callbackWhile(port: number): Promise<number | undefined> {
    const client = await openRaw(port)
    client.send('POST /callbacks/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
    const [status] = await client.answers(1)
    client.socket.destroy()
    return status
  }

  test('a chunk that is none is 400', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(rawPost({ headers: { 'Transfer-Encoding': 'chunked' }, body: 'zz\r\n' }))
    await client.closed()
    await until(() => harness.receiver.outcomes.length === 1, 'the outcome')
    expect(harness.receiver.outcomes).toEqual(['aborted'])
  })
})

describe('malformed requests', () => {
  const post = 'POST /callbacks/a HTTP/1.1\r\nHost: a\r\n'
  test.each([
    ['garbage', '\x00\x01\x02\xff\r\n\r\n', 400],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a lower-case method', 'post / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['no Host', 'POST / HTTP/1.1\r\n\r\n', 400],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
    ['two lengths', `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['a length that is none', `${post}Content-Length: 1x\r\n\r\n`, 400],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n`, 400],
    ['length and chunks', `${post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['another coding', `${post}Transfer-Encoding: gzip\r\n\r\n`, 400],
    ['an expectation', `${post}Expect: miracles\r\n\r\n`, 417],
    ['huge headers', `${post}X: ${'x'.repeat(16 * KIB)}\r\n\r\n`, 431],
    ['a very long path', `POST /${'x'.repeat(16 * KIB)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ['a long path', `POST /${'/'.repeat(7 * KIB)} HTTP/1.1\r\nHost: a\r\n\r\n`, 404],
    [
      'a path of percents',
      `POST /callbacks/${'%'.repeat(7 * KIB)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      404,
    ],
    ['an undecodable domain', 'POST /callbacks/%ff HTTP/1.1\r\nHost: a\r\n\r\n', 404],
    ['two slashes', 'POST //callbacks/x HTTP/1.1\r\nHost: a\r\n\r\n', 404],
    ['a backslash', 'POST /\\callbacks/x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['an absolute form', 'GET http://b/callbacks/x HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['TRACE', 'TRACE /callbacks/x HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    [
      'an upgrade',
      'GET /callbacks/x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
      405,
    ],
  ])('%s', async (_, bytes, status) => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send(Buffer.from(bytes, 'latin1'))
    expect(await client.answers(1)).toEqual([status])
    expect(client.text()).not.toMatch(/node|hono|stack|Error:/i)
    client.socket.destroy()
    expect(await sendCallback(port)).toBe(200)
  })

  test('CONNECT gets nothing', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    client.send('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
    await client.closed()
    expect(client.text()).toBe('')
  })

  test('a repeated signature header does not verify', async () => {
    const { port } = await harness.start()
    const client = await openRaw(port)
    const twice = 'ALI-LIVE-SIGNATURE: good\r\nALI-LIVE-SIGNATURE: good\r\n'
    client.send(
      `${'POST /callbacks/a HTTP/1.1\r\nHost: a\r\n'}ALI-LIVE-TIMESTAMP: 1\r\n${twice}\r\n`,
    )
    expect(await client.answers(1)).toEqual([401])
    expect(harness.receiver.requests[0]?.signature).toBe('good, good')
    client.socket.destroy()
  })
})
