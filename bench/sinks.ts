// How fast each kind of sink is: a backlog that is drained, sink by sink, and then the lag of all of
// them while callbacks come in as fast as they are taken. `--events N` for another backlog.
import { parseArgs } from 'node:util'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { understand } from '../src/core/events/callback.ts'
import { eventOf } from '../src/core/events/snapshot-event.ts'
import { secretFrom } from '../src/core/keys/notify-key.ts'
import { createSeals } from '../src/store/sealed-rings/seal.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { hasServer, startNats, startRedis } from '../test/support/network/servers.ts'
import { bodyOf, DOMAIN } from './tools/callback.ts'
import { load } from './tools/generator.ts'
import {
  end,
  makeFolder,
  startChild,
  startProvider,
  startSnaphook,
  within,
} from './tools/processes.ts'

const CONCURRENT_APPENDS = 256
const DRAIN_MS = 10 * 60_000
const CONNECTIONS = 64
/** Figures cost the service something too. */
const POLL_MS = 250
const LOAD_SECONDS = 20
/** What is asked of a backlog of a million to a local receiver. */
const GOAL_PER_SECOND = 10_000
/** Kept by Redis: the figures are not about its memory. A stream of NATS would be slowed by a limit. */
const KEPT = 10_000

const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' } },
  args: process.argv.slice(3),
})
const backlog = Number(values.events)

type Target = { readonly name: string; readonly url: string; stop(): Promise<unknown> }

async function targets(): Promise<Target[]> {
  const { child, line } = await startChild(['bench/tools/receiver.ts'])
  const { port } = JSON.parse(line)
  const found: Target[] = [
    { name: 'webhook', url: `http://127.0.0.1:${port}/`, stop: () => end(child) },
  ]
  if (hasServer('redis-server')) {
    const redis = await startRedis('--appendfsync', 'everysec')
    const url = `redis://127.0.0.1:${redis.port}?stream=snapshots&maxlen=${KEPT}`
    found.push({ name: 'redis', url, stop: async () => redis[Symbol.asyncDispose]() })
  }
  if (hasServer('nats-server')) {
    const nats = await startNats()
    const client = await connect({ servers: `127.0.0.1:${nats.port}` })
    const { streams } = await jetstreamManager(client, { checkAPI: false })
    const stream = { name: 'SNAPSHOTS', subjects: ['snapshots.>'] }
    await within(DRAIN_MS, 'the stream', async () => (await streams.add(stream)) !== null)
    await client.close()
    const url = `nats://127.0.0.1:${nats.port}?subject=snapshots.{domain}.{app}.{stream}`
    found.push({ name: 'nats', url, stop: async () => nats[Symbol.asyncDispose]() })
  }
  return found
}

async function fill(path: string): Promise<void> {
  const seals = createSeals([secretFrom(new Uint8Array(32).fill(1))])
  const store = await openSqliteStore({ path, seals, now: Date.now })
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < backlog) {
      const body = bodyOf(next++)
      const receivedAt = Date.now()
      const timestamp = String(Math.floor(receivedAt / 1000))
      const callback = { domain: DOMAIN, timestamp, body, receivedAt }
      await store.append(eventOf(callback, understand(body, DOMAIN, receivedAt)))
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_APPENDS }, lane))
  await store.close()
}

const folder = makeFolder()
const provider = await startProvider([DOMAIN])
const all = await targets()
const settingsOf = (sinks: readonly Target[]) => ({
  SNAPHOOK_SINKS: sinks.map(({ name, url }) => `${name}=${url}`).join(),
  SNAPHOOK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'bench').toString('base64')}`,
})

const serve = (sinks: readonly Target[]) =>
  startSnaphook({
    provider,
    domains: [DOMAIN],
    folder: folder.path,
    settings: settingsOf(sinks),
    flags: process.argv.includes('--profile') ? ['--cpu-prof'] : [],
  })

type Snaphook = Awaited<ReturnType<typeof serve>>
async function figure(snaphook: Snaphook, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await snaphook.metrics())?.[1] ?? Number.NaN)
}
const lagOf = (snaphook: Snaphook, { name }: Target) =>
  figure(snaphook, new RegExp(`^snaphook_sink_lag_events\\{sink="${name}"\\} (\\S+)`, 'm'))
const cpuOf = (snaphook: Snaphook) => figure(snaphook, /^process_cpu_seconds_total (\S+)/m)

await fill(`${folder.path}/snaphook.db`)
console.log(`a backlog of ${backlog} events\n`)
console.log('sink        seconds   events/s  CPU µs per event')
for (const target of all) {
  const snaphook = await serve([target])
  const left = await lagOf(snaphook, target)
  const begun = performance.now()
  const isDrained = async () => (await lagOf(snaphook, target)) === 0
  await within(DRAIN_MS, 'the backlog is drained', isDrained, POLL_MS)
  const seconds = (performance.now() - begun) / 1000
  const perEvent = ((await cpuOf(snaphook)) / backlog) * 1e6
  await snaphook.stop()
  console.log(
    `${target.name.padEnd(9)} ${seconds.toFixed(1).padStart(9)} ${(left / seconds).toFixed(0).padStart(10)} ${perEvent.toFixed(0).padStart(17)}`,
  )
}
console.log(`\nasked of a backlog: ${GOAL_PER_SECOND} events/s to a local receiver`)

const snaphook = await serve(all)
await snaphook.ready()
const key = (await provider.state()).configurations[DOMAIN]?.notify?.NotifyAuthKey ?? ''
const sending = load({ port: snaphook.port, key }, CONNECTIONS, LOAD_SECONDS)
let loading = true
void sending.finally(() => (loading = false))
console.log(`\n${LOAD_SECONDS} s of callbacks on ${CONNECTIONS} connections, and the lag meanwhile`)
while (loading) {
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const lags = await Promise.all(
    all.map(async (each) => `${each.name} ${await lagOf(snaphook, each)}`),
  )
  console.log(lags.join('  '))
}
const { requests, seconds } = await sending
console.log(`${(requests / seconds).toFixed(0)} callbacks/s, all answered 200`)
await within(DRAIN_MS, 'the rest', async () =>
  (await Promise.all(all.map((each) => lagOf(snaphook, each)))).every((lag) => lag === 0),
)
await snaphook.stop()
await Promise.all(all.map((each) => each.stop()))
await provider.stop()
folder.remove()
