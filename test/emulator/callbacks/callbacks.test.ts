import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import {
  clientOf,
  configure,
  DOMAIN,
  emulate,
  KEY,
  NEVER_MS,
  OTHER_KEY,
  receive,
  STREAM,
  until,
} from '../support.ts'

const UPDATE = 'UpdateLiveSnapshotNotifyConfig'

/** An emulator with a configured domain and one push. */
async function emulatePush(url: string, options: Parameters<typeof emulate>[0] = {}) {
  const emulator = await emulate(options)
  await configure(clientOf(emulator), url)
  emulator.startPush(STREAM)
  return emulator
}

describe('a callback', () => {
  test('is a POST of JSON, as the Go client of the provider sends it', async () => {
    await using receiver = await receive((response) => response.end('{"Code":0}'))
    await using emulator = await emulatePush(receiver.url)
    emulator.shoot(STREAM)
    await until('its answer', () => emulator.state().callbacks.attempts === 1)
    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Go-http-client/1.1',
          'ali-live-timestamp': expect.stringMatching(/^\d{10}$/),
          'ali-live-signature': expect.stringMatching(/^[0-9a-f]{32}$/),
        },
      },
    ])
    expect(emulator.state().callbacks).toMatchObject({
      byAnswer: { 200: 1 },
      inFlight: 0,
      recent: [{ ...STREAM, attempt: 1, answer: 200, answerBody: '{"Code":0}', key: KEY }],
    })
    expect(emulator.state().callbacks.recent[0]?.body).toBe(receiver.received[0]?.body)
  })

  test('comes at each interval', async () => {
    await using receiver = await receive()
    await using emulator = await emulatePush(receiver.url)
    emulator.startPush(STREAM, 20)
    await until('three of them', () => receiver.received.length >= 3)
  })

  test('keeps the key of its push across a change of keys, until it is pushed again', async () => {
    await using receiver = await receive()
    await using emulator = await emulatePush(receiver.url)
    const keys = () => emulator.state().callbacks.recent.map(({ key }) => key)
    await clientOf(emulator)(UPDATE, { NotifyReqAuth: 'yes', NotifyAuthKey: OTHER_KEY })
    emulator.shoot(STREAM)
    await until('the first', () => keys().length === 1)
    emulator.startPush(STREAM)
    emulator.shoot(STREAM)
    await until('the second', () => keys().length === 2)
    expect(keys()).toEqual([KEY, OTHER_KEY])
  })

  test('stays signed when authentication is switched off under way', async () => {
    await using receiver = await receive()
    await using emulator = await emulatePush(receiver.url)
    await clientOf(emulator)(UPDATE, { NotifyReqAuth: 'no' })
    emulator.shoot(STREAM)
    await until('it', () => emulator.state().callbacks.attempts === 1)
    expect(emulator.state().callbacks.recent).toMatchObject([{ signed: true, key: KEY }])
  })

  test('goes nowhere when nothing is configured', async () => {
    await using emulator = await emulate()
    emulator.startPush(STREAM)
    expect(emulator.shoot(STREAM)).toHaveLength(2)
    expect(emulator.state().pushes).toMatchObject([
      { snapshots: 1, callbacks: 0, signed: false, key: null, initialUrl: null },
    ])
  })

  test('goes to the app-level URL when there is no other, with that key', async () => {
    await using receiver = await receive()
    await using emulator = await emulate()
    const call = clientOf(emulator)
    await call('SetSnapshotCallbackAuth', { CallbackReqAuth: 'yes', CallbackAuthKey: KEY })
    await call('AddLiveAppSnapshotConfig', {
      AppName: 'live',
      TimeInterval: 5,
      OssEndpoint: 'oss.example.com',
      OssBucket: 'pictures',
      OverwriteOssObject: '{AppName}-{StreamName}-{Other}.jpg',
      Callback: receiver.url,
    })
    emulator.startPush(STREAM)
    emulator.shoot(STREAM)
    await until('it', () => receiver.received.length === 1)
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      OssBucket: 'pictures',
      OssObject: 'live-door-{Other}.jpg',
      IsOverlay: true,
    })
    expect(emulator.state().pushes).toMatchObject([{ key: KEY }])
  })
})

describe('a retry', () => {
  const fail = (status: number) => (response: { writeHead(status: number): { end(): void } }) =>
    response.writeHead(status).end()

  test('follows an answer other than 200, five times', async () => {
    await using receiver = await receive(fail(503))
    await using emulator = await emulatePush(receiver.url)
    emulator.shoot(STREAM)
    await until('all attempts', () => emulator.state().callbacks.inFlight === 0)
    const { recent, byAnswer } = emulator.state().callbacks
    expect(recent.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6])
    expect(byAnswer).toEqual({ 503: 6 })
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1)
  })

  test('ends with the first 200', async () => {
    await using receiver = await receive((response, index) => fail(index < 2 ? 401 : 200)(response))
    await using emulator = await emulatePush(receiver.url)
    emulator.shoot(STREAM)
    await until('the end', () => emulator.state().callbacks.inFlight === 0)
    expect(emulator.state().callbacks.byAnswer).toEqual({ 200: 1, 401: 2 })
  })

  test('does not follow an error when retry_on_non_200 is no', async () => {
    await using receiver = await receive(fail(503))
    await using emulator = await emulatePush(receiver.url, {
      switches: { retry_on_non_200: 'no' },
    })
    emulator.shoot(STREAM)
    await until('the end', () => emulator.state().callbacks.inFlight === 0)
    expect(emulator.state().callbacks.byAnswer).toEqual({ 503: 1 })
  })

  test('follows a time-out whatever the switch says', async () => {
    await using receiver = await receive((response, index) => {
      if (index > 0) response.end()
    })
    await using emulator = await emulatePush(receiver.url, {
      switches: { retry_on_non_200: 'no' },
      // The second one has to be answered in it, on a busy machine too.
      senderTimeoutMs: 500,
    })
    emulator.shoot(STREAM)
    await until('the end', () => emulator.state().callbacks.inFlight === 0)
    expect(emulator.state().callbacks.byAnswer).toEqual({ timeout: 1, 200: 1 })
  })

  test('follows a refused connection', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    server.close()
    await once(server, 'close')
    await using emulator = await emulatePush(`http://127.0.0.1:${port}/`)
    emulator.shoot(STREAM)
    await until('the end', () => emulator.state().callbacks.inFlight === 0)
    const { byAnswer, recent } = emulator.state().callbacks
    expect(byAnswer).toEqual({ error: 6 })
    expect(recent[0]).toMatchObject({ answer: 'ECONNREFUSED', answerBody: '' })
  })

  test.each([
    ['same', 1],
    ['resigned', 6],
  ] as const)('carries its signature as retry_signature says: %s', async (value, distinct) => {
    let clock = Date.now()
    await using receiver = await receive((response) => {
      clock += 1000
      fail(500)(response)
    })
    await using emulator = await emulatePush(receiver.url, {
      now: () => clock,
      switches: { retry_signature: value },
    })
    emulator.shoot(STREAM)
    await until('all attempts', () => receiver.received.length === 6)
    const timestamps = receiver.received.map(({ headers }) => headers['ali-live-timestamp'])
    expect(new Set(timestamps).size).toBe(distinct)
  })

  test('is tried over TLS too', async () => {
    await using receiver = await receive()
    await using emulator = await emulatePush(receiver.url.replace('http:', 'https:'), {
      switches: { retry_on_non_200: 'no' },
    })
    emulator.shoot(STREAM)
    await until('the failure', () => emulator.state().callbacks.attempts === 1)
    expect(emulator.state().callbacks.byAnswer).toEqual({ error: 1 })
  })
})

describe('a receiver that hangs', () => {
  test('gets sixteen callbacks of a push at once, and the rest is skipped and counted', async () => {
    await using receiver = await receive(() => undefined)
    await using emulator = await emulatePush(receiver.url, { senderTimeoutMs: NEVER_MS })
    for (let shot = 0; shot < 20; shot += 1) emulator.shoot(STREAM)
    expect(emulator.state().pushes).toMatchObject([
      { snapshots: 20, callbacks: 16, skipped: 4, inFlight: 16 },
    ])
  })

  test('does not hold up the end: stop leaves nothing', async () => {
    await using receiver = await receive(() => undefined)
    const emulator = await emulatePush(receiver.url, { senderTimeoutMs: NEVER_MS })
    emulator.startPush(STREAM, 10)
    const call = clientOf(emulator)
    emulator.setFaults([
      { operation: 'DescribeLiveSnapshotConfig', fault: 'timeout' },
      { operation: 'DescribeLiveSnapshotNotifyConfig', fault: 'latency', ms: NEVER_MS / 10 },
    ])
    const pending = Promise.allSettled([
      call('DescribeLiveSnapshotConfig'),
      call('DescribeLiveSnapshotNotifyConfig'),
    ])
    await until('calls', () => Object.keys(emulator.state().api.byOperation).length === 3)
    await until('callbacks under way', () => receiver.received.length > 1)
    const began = performance.now()
    await emulator.stop()
    await emulator.stop()
    expect(performance.now() - began).toBeLessThan(1000)
    expect(emulator.state().callbacks).toMatchObject({ attempts: 0, inFlight: 0 })
    expect(emulator.state().pushes).toEqual([])
    expect(await pending).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
    await expect(fetch(emulator.url)).rejects.toThrow()
  })

  test('does not delay the end while a retry waits', async () => {
    await using receiver = await receive((response) => response.writeHead(500).end())
    const emulator = await emulatePush(receiver.url, { retryIntervalMs: NEVER_MS })
    emulator.shoot(STREAM)
    await until('the first attempt', () => emulator.state().callbacks.attempts === 1)
    await emulator.stop()
    expect(receiver.received).toHaveLength(1)
    expect(emulator.state().callbacks.inFlight).toBe(0)
  })
})

describe('automatic pushes', () => {
  test('are spread over the domains and begin signed once their domain is configured', async () => {
    await using receiver = await receive()
    await using emulator = await emulate({ domains: [DOMAIN, 'Two.example.com'], streams: 3 })
    const streams = () =>
      emulator.state().pushes.map(({ domain, stream, key }) => [domain, stream, key])
    expect(streams()).toEqual([
      [DOMAIN, 'stream-1', null],
      ['two.example.com', 'stream-2', null],
      [DOMAIN, 'stream-3', null],
    ])
    const call = clientOf(emulator)
    await configure(call, receiver.url)
    expect(streams()).toEqual([
      [DOMAIN, 'stream-1', KEY],
      ['two.example.com', 'stream-2', null],
      [DOMAIN, 'stream-3', KEY],
    ])
    await call(UPDATE, { NotifyReqAuth: 'yes', NotifyAuthKey: OTHER_KEY })
    expect(streams().map(([, , key]) => key)).toEqual([KEY, null, KEY])
  })

  test('wait for the first domain that is named when none is given', async () => {
    await using receiver = await receive()
    await using emulator = await emulate({ domains: [], streams: 2, intervalMs: 20 })
    expect(emulator.state().pushes).toEqual([])
    await configure(clientOf(emulator), receiver.url)
    expect(emulator.state().pushes).toMatchObject([
      { domain: DOMAIN, app: 'live', stream: 'stream-1', signed: true },
      { domain: DOMAIN, app: 'live', stream: 'stream-2', signed: true },
    ])
    await until('a callback of each', () =>
      ['stream-1', 'stream-2'].every((name) =>
        receiver.received.some(({ body }) => body.includes(name)),
      ),
    )
  })
})
