// What a log on PostgreSQL costs when it is large, against when it is small: appends, pages, steps of
// pruning and probes by themselves, and then a replica that serves on it.

import { understand } from '../src/core/events/callback.ts'
import { eventOf } from '../src/core/events/snapshot-event.ts'
import { secretFrom } from '../src/core/keys/notify-key.ts'
import type { PostgresLocation } from '../src/core/store-place.ts'
import type { PruneStep } from '../src/ports/retention.ts'
import { openPostgresStore, type PostgresStore } from '../src/store/postgres/postgres-store.ts'
import { createSeals } from '../src/store/sealed-rings/seal.ts'
import { catchUp, fillLog } from '../test/support/postgres/long-log.ts'
import { type PostgresServer, urlOf } from '../test/support/postgres/postgres-server.ts'
import { bodyOf, DOMAIN } from './tools/callback.ts'
import { load } from './tools/generator.ts'
import { startServer, usageOfServer } from './tools/postgres.ts'
import { startProvider, startSnaphook } from './tools/processes.ts'

const SMALL = 10_000
/** As many partitions as a retention of a week comes to. */
const PARTITIONS = 30
/** Events of a group, of a page, and of a step of pruning. */
const SIZE = 100
const TIMES = 200
const WARM_UP = 20
const LOAD_SECONDS = 4
const CONNECTIONS = 64
const SECRET = Buffer.alloc(32, 'bench')

const WORKS = ['append', 'page', 'prune', 'stats']
const HEADING = ['events', 'partitions', ...WORKS.flatMap((work) => [work, 'server'])]
HEADING.push('/readyz µs', 'events/s', 'p99 ms', 'MiB')

function row(cells: readonly (number | string)[]): void {
  const shown = cells.map((cell) => (typeof cell === 'string' ? cell : cell.toFixed(0)))
  console.log(shown.map((cell, n) => cell.padStart(Math.max(7, HEADING[n]?.length ?? 0))).join(' '))
}

export async function growth(events: number): Promise<void> {
  const server = await startServer()
  const location = server.newLocation()
  const seals = createSeals([secretFrom(SECRET)])
  console.log(`
µs of a call: what somebody waits for it, and what the server works. Appends and pages are of ${SIZE}
events, a step of pruning takes ${SIZE}; then a replica on the log, with ${CONNECTIONS} connections.`)
  row(HEADING)
  for (const count of [SMALL, events]) {
    const store = await openPostgresStore({ location, seals, now: Date.now })
    const partitions = await fillLog(server, location, count, Math.ceil(count / PARTITIONS))
    const costs = await costsOf(server, store, count)
    await store.close()
    const served = await serveOn(server, location)
    row([
      count,
      partitions,
      ...costs.flatMap(({ wallUs, serverUs }) => [wallUs, serverUs]),
      ...served,
    ])
  }
  await server.remove()
}

/** By call: what somebody waits, and what the server works. */
async function costsOf(server: PostgresServer, store: PostgresStore, count: number) {
  let shot = count
  const append = async () => {
    const receivedAt = Date.now()
    const body = bodyOf(shot++)
    const timestamp = String(Math.floor(receivedAt / 1000))
    const callback = { domain: DOMAIN, timestamp, body, receivedAt }
    await store.append(eventOf(callback, understand(body, DOMAIN, receivedAt)))
  }
  const works: (() => Promise<unknown>)[] = [
    () => Promise.all(Array.from({ length: SIZE }, append)),
    () => store.read(Math.floor(Math.random() * (count - SIZE)), SIZE),
    () => store.prune(allUpTo(Date.now())),
    () => store.stats(),
  ]
  const costs: { wallUs: number; serverUs: number }[] = []
  for (const work of works) {
    for (let n = 0; n < WARM_UP; n += 1) await work()
    const before = await usageOfServer(server)
    const begun = performance.now()
    for (let n = 0; n < TIMES; n += 1) await work()
    const wallUs = ((performance.now() - begun) * 1000) / TIMES
    const after = await usageOfServer(server)
    const used = after.appendsUs + after.sessionsUs - before.appendsUs - before.sessionsUs
    costs.push({ wallUs, serverUs: used / TIMES })
  }
  return costs
}

/** A step that takes whatever is oldest. */
function allUpTo(at: number): PruneStep {
  return { deliveredBefore: at, anyBefore: at, maxBytes: 1e15, sinks: [], limit: SIZE, at }
}

/** One replica on the log, with nothing to catch up on: probes, then a load. */
async function serveOn(server: PostgresServer, location: PostgresLocation) {
  await catchUp(server, location)
  const provider = await startProvider([DOMAIN])
  const replica = await startSnaphook({
    provider,
    domains: [DOMAIN],
    settings: {
      SNAPHOOK_STORE: urlOf(location),
      SNAPHOOK_SECRET: SECRET.toString('base64url'),
    },
  })
  await replica.ready()
  const key = (await provider.state()).configurations[DOMAIN]?.notify?.NotifyAuthKey ?? ''
  const probes: number[] = []
  for (let n = 0; n < WARM_UP + TIMES; n += 1) {
    const begun = performance.now()
    await (await fetch(`${replica.ops}/readyz`)).text()
    probes.push(performance.now() - begun)
  }
  const { requests, seconds, p99Ms } = await load(
    { port: replica.port, key },
    CONNECTIONS,
    LOAD_SECONDS,
  )
  const [, bytes] = /^process_resident_memory_bytes (\S+)/m.exec(await replica.metrics()) ?? []
  await replica.stop()
  await provider.stop()
  const median = probes.slice(WARM_UP).sort((a, b) => a - b)[TIMES / 2] ?? Number.NaN
  return [median * 1000, requests / seconds, p99Ms, Number(bytes) / 2 ** 20]
}
