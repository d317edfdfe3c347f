// The NATS sink against a real server with JetStream, read with the vendor's client.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { CloudEvent } from 'cloudevents'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  deliverTo,
  deliverWhileHanging,
  identities,
  withoutRepeats,
} from '../../support/flows/deliveries.ts'
import { hasServer, startNats } from '../../support/network/servers.ts'
import { assertNoSecrets } from '../../support/no-secrets.ts'
import { eventOf } from '../../support/store/store-events.ts'
import { temporaryFolder } from '../../support/store/store-fixtures.ts'
import { until } from '../../support/until.ts'
import { addStream, clientOf, idsOf, messagesOf, sinkTo } from './fixture.ts'

const never = new AbortController().signal
const events = (...seqs: number[]) => seqs.map((seq) => ({ ...eventOf(seq), seq }))

describe.skipIf(!hasServer('nats-server'))('with a real server', () => {
  test('a message is a CloudEvent, under its subject, with its id as message id', async () => {
    await using nats = await startNats()
    await addStream(nats)
    const body = new TextEncoder().encode('{"app":"live","stream":"door 1.*.>"}')
    const sent = [...events(1, 2), { ...eventOf(3, { body }), seq: 3 }]
    expect(await sinkTo(nats.port).deliver(sent, never)).toEqual({ kind: 'delivered' })
    const messages = await messagesOf(nats)
    expect(messages.map(({ event }) => event.id)).toEqual(sent.map(({ id }) => id))
    expect(messages.map(({ subject }) => subject)).toEqual([
      'snapshots.live_example_com._._',
      'snapshots.live_example_com._._',
      'snapshots.live_example_com.live.door_1____',
    ])
    for (const { event, header } of messages) {
      expect(new CloudEvent(event).validate()).toBe(true)
      expect(header.get('Nats-Msg-Id')).toBe(event.id)
      expect(header.get('content-type')).toBe('application/cloudevents+json')
    }
  })

  test('what is sent again within the duplicate window is there once', async () => {
    await using nats = await startNats()
    await addStream(nats)
    const sink = sinkTo(nats.port)
    await sink.deliver(events(1, 2), never)
    expect(await sink.deliver(events(1, 2, 3), never)).toEqual({ kind: 'delivered' })
    expect(await idsOf(nats)).toEqual([1, 2, 3].map((n) => eventOf(n).id))
  })

  test('a replay within the window is there again, in order', async () => {
    await using nats = await startNats()
    await addStream(nats)
    const sink = sinkTo(nats.port)
    await sink.deliver(events(1, 2, 3), never)
    const again = events(1, 2, 3).map((event) => ({ ...event, replay: 7 }))
    expect(await sink.deliver(again, never)).toEqual({ kind: 'delivered' })
    const messages = await messagesOf(nats)
    expect(messages.map(({ event }) => event.id)).toEqual(
      [1, 2, 3, 1, 2, 3].map((n) => eventOf(n).id),
    )
    expect(messages.at(-1)?.header.get('Nats-Msg-Id')).toBe(`${eventOf(3).id}-replay-7`)
  })

  test('killed and restarted in the middle: every event at least once, in order', async () => {
    await using nats = await startNats()
    await addStream(nats)
    await using run = deliverTo(sinkTo(nats.port))
    const total = 3_000
    for (let part = 0; part < 3; part += 1) {
      const before = await run.delivered()
      await run.append(total / 3)
      await until('some to be delivered', async () => (await run.delivered()) > before)
      await nats.kill()
      await nats.start()
    }
    await run.all()
    expect(withoutRepeats(await idsOf(nats))).toEqual(identities(total))
    expect(run.store.letters).toEqual([])
    expect(run.states.at(-1)).toBe('ok')
  })

  test('no stream is about the sink; once there is one it goes on', async () => {
    await using nats = await startNats()
    await using run = deliverTo(sinkTo(nats.port))
    await run.append(3)
    await until('it to refuse', () => run.state()?.state === 'refused')
    expect(run.state()?.problem).toBe('no stream takes snapshots.*.*.*')
    const { reachable, detail } = await sinkTo(nats.port).check(never)
    expect([reachable, detail]).toEqual([false, expect.stringMatching(/no stream takes/)])
    await addStream(nats)
    await run.all()
    expect(await idsOf(nats)).toEqual(identities(3))
  })

  test('a full stream: what fits is confirmed, the rest follows in order', async () => {
    await using nats = await startNats()
    await addStream(nats, { max_msgs: 4, discard: 'new', retention: 'limits' } as never)
    const sink = sinkTo(nats.port)
    const six = events(1, 2, 3, 4, 5, 6)
    const full = { kind: 'failed', reason: 'the stream is full (max_msgs)', confirmed: 4 }
    expect(await sink.deliver(six, never)).toEqual(full)
    const { streams } = await clientOf(nats)
    await streams.update('SNAPSHOTS', { max_msgs: 100 })
    expect(await sink.deliver(six.slice(4), never)).toEqual({ kind: 'delivered' })
    expect(await idsOf(nats)).toEqual(six.map(({ id }) => id))
  })

  test('a stream that is full for one subject says for which, and the order stays', async () => {
    await using nats = await startNats()
    const limits = { max_msgs_per_subject: 1, discard: 'new', discard_new_per_subject: true }
    await addStream(nats, limits as never)
    const bodyOf = (stream: string) =>
      new TextEncoder().encode(JSON.stringify({ app: 'live', stream }))
    const sent = ['door', 'door', 'yard'].map((stream, seq) => ({
      ...eventOf(seq, { body: bodyOf(stream) }),
      seq,
    }))
    const subject = 'snapshots.live_example_com.live.door'
    expect(await sinkTo(nats.port).deliver(sent, never)).toEqual({
      kind: 'failed',
      reason: `the stream is full for ${subject} (max_msgs_per_subject); what comes after waits`,
      confirmed: 1,
    })
    expect(await idsOf(nats)).toEqual([eventOf(0).id])
  })

  test('an event for which there would be room does not overtake one that is refused', async () => {
    await using nats = await startNats()
    await addStream(nats, { max_bytes: 4_000, discard: 'new' } as never)
    const large = { ...eventOf(2, { body: new Uint8Array(4_000) }), seq: 2 }
    const outcome = await sinkTo(nats.port).deliver([...events(1), large, ...events(3)], never)
    expect(outcome).toEqual({
      kind: 'failed',
      reason: 'the stream is full (max_bytes)',
      confirmed: 1,
    })
    expect(await idsOf(nats)).toEqual([eventOf(1).id])
  })

  test('somebody else writes to the stream in between: all the same, in order', async () => {
    await using nats = await startNats()
    await addStream(nats)
    const { client } = await clientOf(nats)
    const sink = sinkTo(nats.port)
    const total = 1_000
    let writing = true
    const other = (async () => {
      while (writing) {
        client.publish('snapshots.other', '{"id":"other"}')
        await client.flush()
      }
    })()
    for (let n = 0; n < total; n += 100) {
      const batch = events(...Array.from({ length: 100 }, (_, index) => n + index))
      expect(await sink.deliver(batch, never)).toEqual({ kind: 'delivered' })
    }
    writing = false
    await other
    const ids = (await idsOf(nats)).filter((id) => id !== 'other')
    expect(ids).toEqual(identities(total))
  })

  test('an event that is too large for the stream becomes a dead letter, alone', async () => {
    await using nats = await startNats()
    await addStream(nats, { max_msg_size: 5_000 })
    const sink = sinkTo(nats.port)
    const large = { ...eventOf(2, { body: new Uint8Array(6_000) }), seq: 2 }
    const outcome = await sink.deliver([...events(1), large, ...events(3)], never)
    expect(outcome).toEqual({
      kind: 'rejected',
      reason: 'larger than the stream takes (max_msg_size)',
      confirmed: 1,
    })
  })

  test('an event that is too large for the server is about the event too', async () => {
    await using nats = await startNats('-c', configFile('max_payload: 4096'))
    await addStream(nats)
    const large = { ...eventOf(2, { body: new Uint8Array(6_000) }), seq: 2 }
    const outcome = await sinkTo(nats.port).deliver([...events(1), large, ...events(3)], never)
    expect(outcome).toEqual({
      kind: 'rejected',
      reason: 'larger than the server takes (max_payload)',
      confirmed: 1,
    })
  })

  const USERS = `authorization { users: [
    {user: "writer", password: "pass/Word@1"},
    {user: "reader", password: "readerPassword", permissions: {publish: ["other.>"]}}
  ] }`

  test.each([
    ['a wrong password', 'writer:wrongPassword@', 'user name, password or token is wrong'],
    ['no login', '', 'user name, password or token is wrong'],
    ['a wrong token', 'wrongPassword@', 'user name, password or token is wrong'],
    ['a user that may not', 'reader:readerPassword@', 'does not allow to publish to snapshots.*'],
  ])('%s is about the sink', async (_what, login, reason) => {
    await using nats = await startNats('-c', configFile(USERS))
    const sink = sinkTo(nats.port, { login })
    const outcome = await sink.deliver(events(1, 2), never)
    expect(outcome).toEqual({
      kind: 'refused',
      reason: expect.stringContaining(reason),
      confirmed: 0,
    })
    const found = await sink.check(never)
    expect(found.reachable).toBe(login.startsWith('reader'))
    const secrets = { wrong: 'wrongPassword', reader: 'readerPassword' }
    assertNoSecrets('outcome and check', JSON.stringify([outcome, found]), secrets)
  })

  test('a right password, with characters that a URL escapes; a check publishes nothing', async () => {
    await using nats = await startNats('-c', configFile(USERS))
    const { streams } = await clientOf(nats, { user: 'writer', pass: 'pass/Word@1' })
    await until('the stream', () =>
      streams.add({ name: 'SNAPSHOTS', subjects: ['snapshots.>'] }).catch(() => null),
    )
    const sink = sinkTo(nats.port, { login: `writer:${encodeURIComponent('pass/Word@1')}@` })
    const detail = `127.0.0.1:${nats.port} lets us in; stream SNAPSHOTS`
    expect(await sink.check(never)).toEqual({ reachable: true, detail })
    expect((await streams.info('SNAPSHOTS')).state.messages).toBe(0)
    expect(await sink.deliver(events(1), never)).toEqual({ kind: 'delivered' })
  })

  test('hanging again and again: late answers do no harm, and all is in order', async () => {
    await using server = await startNats()
    await addStream(server)
    await using run = deliverTo(sinkTo(server.port, { timeoutMs: 300 }))
    const total = 2_000
    await deliverWhileHanging(run, server, total)
    expect(withoutRepeats(await idsOf(server))).toEqual(identities(total))
    expect(run.store.letters).toEqual([])
  })

  test('gone: failing', async () => {
    await using nats = await startNats()
    await nats.kill()
    expect(await sinkTo(nats.port).deliver(events(1), never)).toEqual({
      kind: 'failed',
      reason: 'no connection: nothing listens there (ECONNREFUSED)',
      confirmed: 0,
    })
  })
})

test('a server that hangs is given up in time', async () => {
  const server = createServer((socket) => void onTestFinished(() => void socket.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  expect(await sinkTo(port, { timeoutMs: 50 }).deliver(events(1), never)).toEqual({
    kind: 'failed',
    reason: 'no answer within 0.05 s',
    confirmed: 0,
  })
})

function configFile(text: string): string {
  const path = join(temporaryFolder(), 'nats.conf')
  writeFileSync(path, text)
  return path
}
