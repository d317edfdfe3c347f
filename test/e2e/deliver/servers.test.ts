// The real command with a Redis and a NATS server: what is accepted is at both, also after deaths.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { jetstreamManager, type StreamAPI } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { createClient } from '@redis/client'
import { expect, test } from 'vitest'
import type { SnapshotCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import { withoutRepeats } from '../../support/flows/deliveries.ts'
import { hasServer, type Server, startNats, startRedis } from '../../support/network/servers.ts'
import { nowSeconds, sendCallback } from '../../support/service/signed-callback.ts'
import { keyOf, readiness, setStage, settled } from '../../support/service/stage.ts'
import { range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

const hasBoth = hasServer('redis-server') && hasServer('nats-server')
const PASSWORD = 'passwordOfRedis'
const SENDERS = 8
/** So many callbacks are answered 200 before each kill. */
const ACCEPTED_BEFORE_KILL = 80

const settingsOf = (redis: Server, nats: Server) => ({
  SNAPHOOK_SINKS: [
    `redis=redis://:${PASSWORD}@127.0.0.1:${redis.port}?stream=snapshots&maxlen=100000`,
    `nats=nats://127.0.0.1:${nats.port}?subject=snapshots.{domain}.{app}.{stream}`,
  ].join(),
})

test
  .skipIf(!hasBoth)
  .concurrent('every accepted callback is at both, whoever dies in between', async () => {
    await using redis = await startRedis('--requirepass', PASSWORD)
    await using nats = await startNats()
    await addStream(nats)
    await using stage = await setStage()
    const settings = settingsOf(redis, nats)
    let service = await stage.serve(settings)
    await settled(service)
    const sent: string[] = []
    const shoot = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        const stream = `stream-${sent.length}`
        const callback = { key: keyOf(0), timestamp: nowSeconds(), body: bodyOf(stream) }
        expect((await sendCallback(stage.callbackUrl(), callback)).status).toBe(200)
        sent.push(stream)
      }
    }
    await shoot(10)
    await nats.kill()
    await shoot(10)
    await redis.kill()
    service.kill('SIGKILL')
    await service.ended
    await nats.start()
    service = await stage.serve(settings)
    await shoot(10)
    await until('Redis to be missed', async () => {
      const { sinks } = await readiness(service)
      return sinks.some(
        ({ name, state, lag }) => name === 'redis' && state === 'failing' && lag >= 10,
      )
    })
    await redis.start()
    await until('both to have all', async () => {
      const { sinks } = await readiness(service)
      return sinks.every(({ lag, state }) => lag === 0 && state === 'ok')
    })
    for (const events of [await eventsInRedis(redis), await eventsInNats(nats)]) {
      expect(withoutRepeats(events.map(({ stream }) => stream))).toEqual(sent)
    }

    const doctor = await stage.finish(['doctor', '--json'], settings)
    const found = JSON.parse(doctor.stdout) as { check: string; result: string }[]
    expect(found.filter(({ check }) => check === 'sink').map(({ result }) => result)).toEqual([
      'ok',
      'ok',
    ])
    expect(service.stderr.text() + doctor.stdout).not.toContain(PASSWORD)
  })

/** A webhook receiver that can die: what it has not answered by then it has not had. */
async function mortalReceiver() {
  const had: { stream: string; seq: number }[] = []
  let port = 0
  let server = createServer()
  const start = async () => {
    server = createServer(async (request, response) => {
      const batch = JSON.parse(await text(request)) as SnapshotCloudEvent[]
      if (response.destroyed) return
      had.push(...batch.map(({ data: { stream, seq } }) => ({ stream: stream ?? '', seq })))
      response.writeHead(204).end()
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  const kill = async () => {
    server.close()
    server.closeAllConnections()
  }
  await start()
  return { had, start, kill, url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: kill }
}

test
  .skipIf(!hasBoth)
  .concurrent('under load, killed again and again: all of it, and in order', async () => {
    await using redis = await startRedis('--requirepass', PASSWORD)
    await using nats = await startNats()
    await addStream(nats)
    await using hook = await mortalReceiver()
    await using stage = await setStage()
    const settings = {
      ...settingsOf(redis, nats),
      SNAPHOOK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'x').toString('base64')}`,
    }
    settings.SNAPHOOK_SINKS += `,hook=${hook.url}`
    let service = await stage.serve(settings)
    await settled(service)
    const restarted = {
      async kill() {
        service.kill('SIGKILL')
        await service.ended
      },
      async start() {
        service = await stage.serve(settings)
      },
    }

    const accepted = new Set<string>()
    let loading = true
    const load = Promise.all(
      range(SENDERS).map(async (sender) => {
        for (let n = 0; loading; n += 1) {
          const stream = `stream-${sender}-${n}`
          const callback = { key: keyOf(0), body: bodyOf(stream) }
          const sent = await sendCallback(stage.callbackUrl(), callback).catch(() => undefined)
          if (sent?.status === 200) accepted.add(stream)
        }
      }),
    )
    for (const victims of [
      [nats],
      [redis],
      [hook],
      [restarted],
      [nats, redis],
      [hook, restarted],
    ]) {
      const goal = accepted.size + ACCEPTED_BEFORE_KILL
      await until(`${goal} accepted`, () => accepted.size >= goal)
      await Promise.all(victims.map((victim) => victim.kill()))
      await Promise.all(victims.map((victim) => victim.start()))
    }
    loading = false
    await load
    await until('all to have all', async () => {
      const { sinks } = await readiness(service)
      return sinks.every(({ lag, state }) => lag === 0 && state === 'ok')
    })
    for (const [name, events] of Object.entries({
      redis: await eventsInRedis(redis),
      nats: await eventsInNats(nats),
      hook: hook.had,
    })) {
      const streams = new Set(events.map(({ stream }) => stream))
      expect(
        [...accepted].filter((stream) => !streams.has(stream)),
        `missing in ${name}`,
      ).toEqual([])
      const seqs = [...new Set(events.map(({ seq }) => seq))]
      expect(seqs, `the order in ${name}`).toEqual(seqs.toSorted((a, b) => a - b))
    }
  })

const bodyOf = (stream: string) =>
  JSON.stringify({ DomainName: 'play.example.com', AppName: 'live', StreamName: stream })

/** What of an event is looked at here. */
type Seen = { readonly stream: string; readonly seq: number }

async function eventsInRedis({ port }: Server): Promise<Seen[]> {
  const client = createClient({ socket: { port, host: '127.0.0.1' }, password: PASSWORD })
  await client.connect()
  const entries = (await client.xRange('snapshots', '-', '+')) ?? []
  client.destroy()
  return entries.map((entry) => JSON.parse(entry?.message.event ?? '').data)
}

async function withStreams<T>({ port }: Server, work: (streams: StreamAPI) => Promise<T>) {
  const client = await connect({ servers: `127.0.0.1:${port}`, reconnect: false })
  try {
    return await work((await jetstreamManager(client, { checkAPI: false })).streams)
  } finally {
    await client.close()
  }
}

function addStream(server: Server): Promise<unknown> {
  const stream = { name: 'SNAPSHOTS', subjects: ['snapshots.*.live.*'] }
  // The server listens a moment before JetStream is up.
  return until('the stream', () =>
    withStreams(server, (streams) => streams.add(stream)).catch(() => null),
  )
}

function eventsInNats(server: Server): Promise<Seen[]> {
  return withStreams(server, async (streams) => {
    const stream = await streams.get('SNAPSHOTS')
    const { last_seq: last } = (await stream.info()).state
    const found: Seen[] = []
    for (let seq = 1; seq <= last; seq += 1) {
      const message = await stream.getMessage({ seq })
      if (message !== null) found.push(message.json<{ data: Seen }>().data)
    }
    return found
  })
}
