// The real command with a Redis and a NATS server: what is accepted is at both, also after deaths.
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { createClient } from '@redis/client'
import { expect, onTestFinished, test } from 'vitest'
import { withoutRepeats } from '../support/deliveries.ts'
import { hasServer, type Server, startNats, startRedis } from '../support/servers.ts'
import { nowSeconds, sendCallback } from '../support/signed-callback.ts'
import { keyOf, readiness, setStage, settled } from '../support/stage.ts'
import { until } from '../support/until.ts'

const hasBoth = hasServer('redis-server') && hasServer('nats-server')
const PASSWORD = 'passwordOfRedis'

test.skipIf(!hasBoth)('every accepted callback is at both, whoever dies in between', async () => {
  await using redis = await startRedis('--requirepass', PASSWORD)
  await using nats = await startNats()
  await addStream(nats)
  await using stage = await setStage()
  const settings = {
    SNAPHOOK_SINKS: [
      `redis=redis://:${PASSWORD}@127.0.0.1:${redis.port}?stream=snapshots&maxlen=1000`,
      `nats=nats://127.0.0.1:${nats.port}?subject=snapshots.{domain}.{app}.{stream}`,
    ].join(),
  }
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
  expect(withoutRepeats(await streamsInRedis(redis))).toEqual(sent)
  expect(withoutRepeats(await streamsInNats(nats))).toEqual(sent)

  const doctor = await stage.finish(['doctor', '--json'], settings)
  const found = JSON.parse(doctor.stdout) as { check: string; result: string }[]
  expect(found.filter(({ check }) => check === 'sink').map(({ result }) => result)).toEqual([
    'ok',
    'ok',
  ])
  expect(service.stderr.text() + doctor.stdout).not.toContain(PASSWORD)
})

const bodyOf = (stream: string) =>
  JSON.stringify({ DomainName: 'play.example.com', AppName: 'live', StreamName: stream })

async function streamsInRedis({ port }: Server): Promise<string[]> {
  const client = createClient({ socket: { port, host: '127.0.0.1' }, password: PASSWORD })
  await client.connect()
  const entries = (await client.xRange('snapshots', '-', '+')) ?? []
  client.destroy()
  return entries.map((entry) => JSON.parse(entry?.message.event ?? '').data.stream)
}

async function managerOf({ port }: Server) {
  const client = await connect({ servers: `127.0.0.1:${port}`, reconnect: false })
  onTestFinished(() => client.close())
  return (await jetstreamManager(client, { checkAPI: false })).streams
}

async function addStream(server: Server): Promise<void> {
  const streams = await managerOf(server)
  const stream = { name: 'SNAPSHOTS', subjects: ['snapshots.*.live.*'] }
  // The server listens a moment before JetStream is up.
  await until('the stream', () => streams.add(stream).catch(() => null))
}

async function streamsInNats(server: Server): Promise<string[]> {
  const stream = await (await managerOf(server)).get('SNAPSHOTS')
  const { last_seq: last } = (await stream.info()).state
  const found: string[] = []
  for (let seq = 1; seq <= last; seq += 1) {
    const message = await stream.getMessage({ seq })
    if (message !== null) found.push(message.subject.split('.').at(-1) ?? '')
  }
  return found
}
