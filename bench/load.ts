// Loads, in one run and in turn, a bare node:http server, a bare Hono app and snaphook (callbacks
// verified, deduplicated, synced to disk and handed on), and prints the ratios: machines are noisy,
// a ratio within one run is not. Then the store by itself, up to a million events.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { sign } from '../src/core/keys/signature.ts'
import { bodyOf, DOMAIN } from './callback.ts'
import { end, FLAGS, makeFolder, startChild, startProvider, startSnaphook } from './processes.ts'

const CONNECTIONS = [64, 256]
const WARM_UP_SECONDS = 2
const SECONDS = 8
/** No signing within the load: a signature holds for the skew of five minutes, this run is shorter. */
const TIMESTAMP = String(Math.floor(Date.now() / 1000))

type Server = {
  readonly name: string
  readonly port: number
  readonly key: string
  stop(): Promise<void>
}
type Figures = { readonly perSecond: number; readonly p99Ms: number }

async function startBare(kind: 'http' | 'hono'): Promise<Server> {
  const { child, line } = await startChild(['bench/bare.ts', kind])
  const name = kind === 'http' ? 'bare node:http' : 'bare Hono'
  return { name, port: JSON.parse(line).port, key: 'not-checked', stop: () => end(child) }
}

async function startReal(): Promise<Server> {
  const folder = makeFolder()
  const provider = await startProvider([DOMAIN])
  const snaphook = await startSnaphook({ provider, domains: [DOMAIN], folder: folder.path })
  await snaphook.ready()
  console.log(`ready ${Math.round(performance.now() - snaphook.begun)} ms after its start\n`)
  const { configurations } = await provider.state()
  return {
    name: 'snaphook',
    port: snaphook.port,
    key: configurations[DOMAIN]?.notify?.NotifyAuthKey ?? '',
    async stop() {
      const shown =
        /^(snaphook_callbacks_total\S+|snaphook_store_commit_\S+_(sum|count)|snaphook_sink_lag_events\S+|process_resident_memory_bytes) [^0].*$/gm
      console.log((await snaphook.metrics()).match(shown)?.join('\n'))
      await snaphook.stop()
      await provider.stop()
      folder.remove()
    },
  }
}

let sent = 0
async function load(
  { port, key }: Server,
  connections: number,
  duration: number,
): Promise<Figures> {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/callbacks/${DOMAIN}`,
    connections,
    duration,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'ali-live-timestamp': TIMESTAMP,
      'ali-live-signature': sign('127.0.0.1', TIMESTAMP, key),
    },
    requests: [{ setupRequest: (request) => ({ ...request, body: Buffer.from(bodyOf(sent++)) }) }],
  })
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were not 200, ${result.errors} requests failed`)
  }
  return { perSecond: result.requests.average, p99Ms: result.latency.p99 }
}

const figures = new Map<string, Figures>()
for (const start of [() => startBare('http'), () => startBare('hono'), startReal]) {
  const server = await start()
  await load(server, 64, WARM_UP_SECONDS)
  for (const connections of CONNECTIONS) {
    figures.set(`${server.name} ${connections}`, await load(server, connections, SECONDS))
  }
  await server.stop()
}

console.log('\nserver           connections  requests/s  p99 ms  of node:http  of Hono')
for (const connections of CONNECTIONS) {
  for (const name of ['bare node:http', 'bare Hono', 'snaphook']) {
    const { perSecond, p99Ms } = figures.get(`${name} ${connections}`) as Figures
    const of = (other: string) =>
      (perSecond / (figures.get(`${other} ${connections}`) as Figures).perSecond).toFixed(2)
    console.log(
      [
        name.padEnd(15),
        String(connections).padStart(12),
        perSecond.toFixed(0).padStart(11),
        p99Ms.toFixed(0).padStart(7),
        of('bare node:http').padStart(12),
        of('bare Hono').padStart(8),
      ].join(' '),
    )
  }
}

console.log('\nthe store by itself:')
const append = spawn(process.execPath, [...FLAGS, 'bench/append.ts'], { stdio: 'inherit' })
await once(append, 'exit')
