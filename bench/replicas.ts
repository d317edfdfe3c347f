// Replicas on one PostgreSQL, all on this machine: events a second, and what an event costs at the
// replicas and in the server. `replicas 1 2 4` names how many, `replicas growth` shows what a log of
// five million events costs against one of ten thousand; nothing named is all of it.
import { parseArgs } from 'node:util'
import { type PostgresServer, urlOf } from '../test/support/postgres/postgres-server.ts'
import { growth } from './growth.ts'
import { DOMAIN } from './tools/callback.ts'
import { generatorName, load } from './tools/generator.ts'
import { type ServerUsage, startServer, usageOfServer } from './tools/postgres.ts'
import {
  type Provider,
  type Snaphook,
  startProvider,
  startSnaphook,
  within,
} from './tools/processes.ts'
import { type Usage, usageOf } from './tools/usage.ts'

const CONNECTIONS_EACH = 64
const WARM_UP_SECONDS = 3
/** Of base64url, as any secret: all replicas have the same. */
const SECRET = Buffer.alloc(32, 'bench').toString('base64url')
const OWNED_MS = 20_000

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    events: { type: 'string', default: '5000000' },
    profile: { type: 'boolean', default: false },
  },
  args: process.argv.slice(3),
  allowPositionals: true,
})
const seconds = Number(values.seconds)

type Used = { readonly replicas: readonly Usage[]; readonly server: ServerUsage }

async function startReplicas(count: number, server: PostgresServer, provider: Provider) {
  const replicas: Snaphook[] = []
  const store = urlOf(server.newLocation())
  for (let n = 0; n < count; n += 1) {
    const [first] = replicas
    const replica = await startSnaphook({
      provider,
      domains: [DOMAIN],
      flags: values.profile ? ['--cpu-prof'] : [],
      settings: {
        SNAPHOOK_STORE: store,
        SNAPHOOK_SECRET: SECRET,
        ...(first && { SNAPHOOK_PUBLIC_URL: `http://127.0.0.1:${first.port}` }),
      },
    })
    await replica.ready()
    replicas.push(replica)
  }
  const isOwned = async () => total(await metricsOf(replicas), 'snaphook_task_owned') === TASKS
  await within(OWNED_MS, 'each task has an owner', isOwned)
  return replicas
}

async function measure(count: number): Promise<void> {
  const server = await startServer()
  const provider = await startProvider([DOMAIN])
  const replicas = await startReplicas(count, server, provider)
  const key = (await provider.state()).configurations[DOMAIN]?.notify?.NotifyAuthKey ?? ''
  const loadAll = (time: number) =>
    Promise.all(replicas.map(({ port }) => load({ port, key }, CONNECTIONS_EACH, time)))
  const used = async (): Promise<Used> => ({
    replicas: replicas.map(({ pid }) => usageOf(pid) ?? NOTHING),
    server: await usageOfServer(server),
  })

  await loadAll(WARM_UP_SECONDS)
  const before = await used()
  const loads = await loadAll(seconds)
  const after = await used()
  const metrics = await metricsOf(replicas)
  await Promise.all(replicas.map((replica) => replica.stop()))
  await provider.stop()
  await server.remove()

  const events = loads.reduce((sum, { requests }) => sum + requests, 0)
  const ofEvent = (us: (used: Used) => number) => (us(after) - us(before)) / events
  const atReplicas = (key: keyof Usage) => (of: Used) =>
    of.replicas.reduce((sum, usage) => sum + usage[key], 0)
  const commits = total(metrics, 'snaphook_store_commit_events_count')
  const kept = total(metrics, 'snaphook_store_commit_events_sum')
  row([
    count,
    events / Math.max(...loads.map((one) => one.seconds)),
    Math.max(...loads.map(({ p99Ms }) => p99Ms)),
    ofEvent(atReplicas('mainUs')),
    // Of those that own least: what receiving alone costs.
    Math.min(
      ...loads.map(({ requests }, n) => {
        const own = (of: Used) => of.replicas[n]?.mainUs ?? Number.NaN
        return (own(after) - own(before)) / requests
      }),
    ),
    ofEvent(atReplicas('otherUs')),
    ofEvent((of) => of.server.appendsUs),
    ofEvent((of) => of.server.sessionsUs),
    ofEvent((of) => of.server.backgroundUs),
    kept / commits,
    (1e3 * total(metrics, 'snaphook_store_commit_duration_seconds_sum')) / commits,
    (1e6 * total(metrics, 'snaphook_store_wait_seconds_sum')) / kept,
    total(metrics, 'process_resident_memory_bytes') / count / 2 ** 20,
  ])
}

/** The sink, the janitor, the registrar, the audit and the count of streams. */
const TASKS = 5
const NOTHING: Usage = { mainUs: NaN, storeUs: NaN, readerUs: NaN, otherUs: NaN, writtenBytes: NaN }

async function metricsOf(replicas: readonly Snaphook[]): Promise<string> {
  return (await Promise.all(replicas.map((replica) => replica.metrics()))).join('\n')
}

/** The sum over all series, and all replicas, of one name. */
function total(metrics: string, name: string): number {
  const lines = metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0)
}

function row(cells: readonly (number | string)[]): void {
  const shown = cells.map((cell) => (typeof cell === 'string' ? cell : cell.toFixed(0)))
  console.log(shown.map((cell, n) => cell.padStart(HEADING[n]?.length ?? 0)).join('  '))
}

const HEADING = ['replicas', 'events/s', 'p99 ms', 'main µs', 'least µs', 'other µs']
HEADING.push('appends µs', 'reads µs', 'rest µs', 'a group', 'group ms', 'lock µs', 'MiB each')

const counts = positionals.map(Number).filter((count) => count > 0)
const isAll = positionals.length === 0
if (isAll || counts.length > 0) {
  console.log(`the load comes from ${await generatorName()}, ${CONNECTIONS_EACH} connections each`)
  row(HEADING)
  for (const count of isAll ? [1, 2, 4] : counts) await measure(count)
  console.log(
    'µs: processor time of one event; at all replicas: main thread,\n' +
      'the same where least is owned, others; in the server: sessions\n' +
      'that append, other sessions, the rest. A group: events in one commit. Lock: waited for it.',
  )
}
if (isAll || positionals.includes('growth')) await growth(Number(values.events))
