// The Redis sink against a real server, read with the vendor's client.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { createClient } from '@redis/client'
import { CloudEvent } from 'cloudevents'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createRedisSink } from '../../../src/sinks/redis/sink.ts'
import {
  deliverTo,
  deliverWhileHanging,
  identities,
  withoutRepeats,
} from '../../support/flows/deliveries.ts'
import { hasServer, type Server, startRedis } from '../../support/network/servers.ts'
import { assertNoSecrets } from '../../support/no-secrets.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

const PASSWORD = 'passwordOfRedis'
const never = new AbortController().signal
const events = (...seqs: number[]) => seqs.map((seq) => ({ ...eventOf(seq), seq }))

function sinkTo(port: number, { login = '', rest = '?stream=snapshots', timeoutMs = 10_000 } = {}) {
  const url = `redis://${login}127.0.0.1:${port}${rest}`
  const sink = createRedisSink({ name: 'stream', url, timeoutMs })
  onTestFinished(() => sink.close())
  return sink
}

async function clientOf({ port }: Server, password?: string) {
  const socket = { port, host: '127.0.0.1' }
  const client = createClient({ RESP: 2, socket, ...(password && { password }) })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.destroy())
  return client
}

async function entriesOf(server: Server, stream = 'snapshots') {
  const client = await clientOf(server)
  const entries = (await client.xRange(stream, '-', '+')) ?? []
  return entries.flatMap((entry) => (entry === null ? [] : [entry.message]))
}

describe.skipIf(!hasServer('redis-server'))('with a real server', () => {
  test('an entry has the id and the CloudEvent; entries are in order', async () => {
    await using redis = await startRedis()
    const sink = sinkTo(redis.port)
    expect(await sink.deliver(events(1, 2), never)).toEqual({ kind: 'delivered' })
    expect(await sink.deliver(events(3), never)).toEqual({ kind: 'delivered' })
    const entries = await entriesOf(redis)
    expect(entries.map(({ id }) => id)).toEqual([1, 2, 3].map((n) => eventOf(n).id))
    for (const { id, event, ...more } of entries) {
      const read = JSON.parse(event ?? '')
      expect(new CloudEvent(read).validate()).toBe(true)
      expect([read.id, more]).toEqual([id, {}])
    }
  })

  test('a replay keeps the id of the event, and says that it is one', async () => {
    await using redis = await startRedis()
    const [event] = events(1)
    if (event) await sinkTo(redis.port).deliver([{ ...event, replay: 7 }], never)
    const [entry] = await entriesOf(redis)
    expect(entry?.id).toBe(eventOf(1).id)
    expect(JSON.parse(entry?.event ?? '')).toMatchObject({ id: eventOf(1).id, replay: 7 })
  })

  test('maxlen bounds the stream; a path chooses the database', async () => {
    await using redis = await startRedis()
    const sink = sinkTo(redis.port, { rest: '/3?maxlen=100&stream=a%20b' })
    for (let n = 0; n < 10; n += 1) {
      const batch = Array.from({ length: 100 }, (_, index) => n * 100 + index)
      expect(await sink.deliver(events(...batch), never)).toEqual({ kind: 'delivered' })
    }
    const client = await clientOf(redis)
    await client.select(3)
    const length = await client.xLen('a b')
    expect(length).toBeGreaterThanOrEqual(100)
    expect(length).toBeLessThan(300)
  })

  test('killed and restarted in the middle: every event at least once, in order', async () => {
    await using redis = await startRedis()
    await using run = deliverTo(sinkTo(redis.port))
    const total = 6_000
    for (let part = 0; part < 3; part += 1) {
      const before = await run.delivered()
      await run.append(total / 3)
      await until('some to be delivered', async () => (await run.delivered()) > before)
      await redis.kill()
      await redis.start()
    }
    await run.all()
    const ids = (await entriesOf(redis)).map(({ id = '' }) => id)
    expect(withoutRepeats(ids)).toEqual(identities(total))
    expect(run.store.letters).toEqual([])
    expect(run.states).toContain('failing')
    expect(run.states.at(-1)).toBe('ok')
  })

  test('hanging again and again: late answers do no harm, and all is in order', async () => {
    await using server = await startRedis()
    await using run = deliverTo(sinkTo(server.port, { timeoutMs: 300 }))
    const total = 2_000
    await deliverWhileHanging(run, server, total)
    expect(withoutRepeats((await entriesOf(server)).map(({ id = '' }) => id))).toEqual(
      identities(total),
    )
    expect(run.store.letters).toEqual([])
  })

  test('gone for a while: failing, then it catches up', async () => {
    await using redis = await startRedis()
    await redis.kill()
    await using run = deliverTo(sinkTo(redis.port))
    await run.append(250)
    await until('it to fail', () => run.state()?.state === 'failing')
    expect(run.state()?.problem).toBe('no connection: nothing listens there (ECONNREFUSED)')
    await redis.start()
    await run.all()
    expect((await entriesOf(redis)).length).toBe(250)
  })

  test('a full memory: nothing of the batch is added, and all of it when there is room', async () => {
    await using redis = await startRedis('--maxmemory-policy', 'noeviction')
    const client = await clientOf(redis)
    await client.configSet('maxmemory', '1')
    const sink = sinkTo(redis.port)
    expect(await sink.deliver(events(1, 2), never)).toEqual({
      kind: 'failed',
      reason: 'its memory is full (OOM)',
    })
    await client.configSet('maxmemory', '0')
    expect(await sink.deliver(events(1, 2), never)).toEqual({ kind: 'delivered' })
    expect(await entriesOf(redis)).toHaveLength(2)
  })

  test('a memory that becomes full in the middle of a batch: all of it or nothing', async () => {
    await using redis = await startRedis('--maxmemory-policy', 'noeviction')
    const client = await clientOf(redis)
    const [, used = ''] = /^used_memory:(\d+)/m.exec(await client.info('memory')) ?? []
    await client.configSet('maxmemory', String(Number(used) + 1_000_000))
    const sink = sinkTo(redis.port)
    const body = new Uint8Array(1_000).fill(0xff)
    let delivered = 0
    for (;;) {
      const batch = range(100).map((n) => ({ ...eventOf(delivered + n, { body }), seq: n + 1 }))
      const outcome = await sink.deliver(batch, never)
      if (outcome.kind !== 'delivered') break
      delivered += batch.length
    }
    expect(delivered).toBeGreaterThan(0)
    expect(await client.xLen('snapshots')).toBe(delivered)
  })

  test.each([
    ['READONLY', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /replica/],
    [
      'NOREPLICAS',
      ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
      /too few good replicas/,
    ],
  ])(
    '%s may pass: nothing is added, and it goes on afterwards',
    async (_code, set, unset, reason) => {
      await using redis = await startRedis()
      const client = await clientOf(redis)
      const sink = sinkTo(redis.port)
      expect(await sink.deliver(events(1), never)).toEqual({ kind: 'delivered' })
      await client.sendCommand(set)
      expect(await sink.deliver(events(2, 3), never)).toEqual({
        kind: 'failed',
        reason: expect.stringMatching(reason),
      })
      await client.sendCommand(unset)
      expect(await sink.deliver(events(2, 3), never)).toEqual({ kind: 'delivered' })
      expect((await entriesOf(redis)).length).toBe(3)
    },
  )

  test.each([
    ['a wrong password', ':wrongPassword@', '', 'user name or password is wrong'],
    ['an unknown user', 'nobody:wrongPassword@', '', 'user name or password is wrong'],
    ['no password', '', '', 'asks for a password'],
    ['no such database', `:${PASSWORD}@`, '/4000', 'has no database of that number'],
    ['a user that may not', 'reader:readerPassword@', '', 'does not allow MULTI, EXEC and XADD'],
  ])('%s is about the sink, and says so to doctor', async (_what, login, path, reason) => {
    await using redis = await startRedis('--requirepass', PASSWORD)
    const client = await clientOf(redis, PASSWORD)
    await client.sendCommand(['ACL', 'SETUSER', 'reader', 'on', '>readerPassword', '+ping'])
    const sink = sinkTo(redis.port, { login, rest: `${path}?stream=snapshots` })
    const outcome = await sink.deliver(events(1), never)
    expect(outcome).toEqual({ kind: 'refused', reason: expect.stringContaining(reason) })
    const found = await sink.check(never)
    expect(found.reachable).toBe(login.startsWith('reader'))
    const secrets = { PASSWORD, wrong: 'wrongPassword', reader: 'readerPassword' }
    assertNoSecrets('outcome and check', JSON.stringify([outcome, found]), secrets)
  })

  test('a right password, with characters that a URL escapes', async () => {
    await using redis = await startRedis('--requirepass', 'a/b@c:d%e')
    const login = `:${encodeURIComponent('a/b@c:d%e')}@`
    const sink = sinkTo(redis.port, { login })
    expect(await sink.deliver(events(1), never)).toEqual({ kind: 'delivered' })
    const detail = `127.0.0.1:${redis.port} lets us in`
    expect(await sink.check(never)).toEqual({ reachable: true, detail })
  })

  test('something else under the name of the stream is about the sink', async () => {
    await using redis = await startRedis()
    await (await clientOf(redis)).set('snapshots', 'text')
    const outcome = await sinkTo(redis.port).deliver(events(1, 2), never)
    expect(outcome).toEqual({ kind: 'refused', reason: expect.stringContaining('something else') })
  })

  test('a check adds nothing', async () => {
    await using redis = await startRedis()
    expect(await sinkTo(redis.port).check(never)).toMatchObject({ reachable: true })
    expect(await (await clientOf(redis)).dbSize()).toBe(0)
  })
})

describe('a server that hangs', () => {
  async function hanging() {
    const server = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const sockets = new Set<{ destroy(): void }>()
    server.on('connection', (socket) => sockets.add(socket))
    onTestFinished(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return port
  }

  test('is given up in time', async () => {
    const sink = sinkTo(await hanging(), { timeoutMs: 50, login: `:${PASSWORD}@` })
    expect(await sink.deliver(events(1), never)).toEqual({
      kind: 'failed',
      reason: 'no answer within 0.05 s',
    })
  })

  test('and at once when told to stop', async () => {
    const sink = sinkTo(await hanging())
    const stop = new AbortController()
    const delivery = sink.deliver(events(1), stop.signal)
    stop.abort()
    expect(await delivery).toEqual({ kind: 'failed', reason: 'stopped before it answered' })
  })
})
