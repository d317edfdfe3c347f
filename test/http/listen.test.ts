import { constants } from 'node:os'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { listen } from '../../src/http/listen.ts'
import { createFakeLog } from './fakes.ts'
import { sendCallback, useListeners } from './harness.ts'
import { openRaw, rawPost, until } from './raw-client.ts'

const harness = useListeners()

describe('close', () => {
  test('answers what is in flight, as the last of its connection', async () => {
    const listener = await harness.start()
    const release = harness.receiver.hold()
    const busy = await openRaw(listener.port)
    busy.send(rawPost({ body: '{}' }))
    await until(() => harness.receiver.requests.length === 1, 'the callback')
    const used = await openRaw(listener.port)
    used.send(rawPost({ path: '/nothing' }))
    await used.answers(1)
    const unused = await openRaw(listener.port)

    const closed = listener.close(5_000)
    expect(listener.close(0)).toBe(closed)
    await Promise.all([used.closed(), unused.closed()])
    await expect(openRaw(listener.port)).rejects.toThrow()
    expect(busy.isClosed()).toBe(false)

    release()
    expect(await busy.answers(1)).toEqual([200])
    expect(busy.text()).toContain('Connection: close')
    await busy.closed()
    await closed
  })

  test('lets a request that has begun to arrive be the last one', async () => {
    const listener = await harness.start()
    const client = await openRaw(listener.port)
    const request = rawPost({ body: '{}' })
    client.send(request.slice(0, 30))
    await sendCallback(listener.port)
    const closed = listener.close(5_000)
    client.send(request.slice(30))
    expect(await client.answers(1)).toEqual([200])
    expect(client.text()).toContain('Connection: close')
    await closed
  })

  test('ends a connection whose answer had begun when it was called', async () => {
    const app = new Hono()
    const { promise: rest, resolve: finish } = Promise.withResolvers<void>()
    app.get('/', () => {
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(Buffer.from('begun '))
          await rest
          controller.enqueue(Buffer.from('done'))
          controller.close()
        },
      })
      return new Response(body)
    })
    const listener = await harness.start({}, app)
    const client = await openRaw(listener.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => client.text().includes('begun'), 'the beginning')
    const closed = listener.close(5_000)
    finish()
    await closed
    await client.closed()
    expect(client.text()).toContain('done')
  })

  test('cuts off what is left at the deadline', async () => {
    const listener = await harness.start()
    const release = harness.receiver.hold()
    const client = await openRaw(listener.port)
    client.send(rawPost({ body: '{}' }))
    await until(() => harness.receiver.requests.length === 1, 'the callback')
    await listener.close(20)
    await client.closed()
    expect(client.text()).toBe('')
    release()
    await until(() => harness.receiver.outcomes.length === 1, 'the outcome')
  })
})

describe('addresses', () => {
  const app = new Hono().get('/', (c) => c.text('here'))
  const bind = (host: string, port = 0) => listen(app, { host, port, log: createFakeLog() })

  test.each([
    ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['::1', /^http:\/\/\[::1\]:\d+$/],
    ['[::1]', /^http:\/\/\[::1\]:\d+$/],
  ])('%s', async (host, form) => {
    const listener = await bind(host)
    expect(listener.url).toMatch(form)
    expect(new URL(listener.url).port).toBe(String(listener.port))
    expect(await (await fetch(listener.url)).text()).toBe('here')
    await listener.close(0)
  })

  test('one in use is a clear fault', async () => {
    const { port } = await harness.start()
    await expect(bind('127.0.0.1', port)).rejects.toMatchObject({
      code: 'listen_failed',
      message: `Can't listen on 127.0.0.1:${port}: the address is in use; stop what listens there or choose another port.`,
      cause: { errno: -constants.errno.EADDRINUSE },
    })
  })

  test.each([
    ['192.0.2.1', 0, /^Can't listen on 192\.0\.2\.1:0: this machine has no such address\.$/],
    ['2001:db8::1', 0, /^Can't listen on \[2001:db8::1\]:0: this machine has no such address\.$/],
    ['no.such.host.invalid', 0, /this machine has no such address\.$/],
    ['127.0.0.1', 99_999, /a port is a number from 0 to 65535\.$/],
  ])('%s port %i is a clear fault', async (host, port, message) => {
    await expect(bind(host, port)).rejects.toMatchObject({
      code: 'listen_failed',
      message: expect.stringMatching(message),
    })
  })
})
