// Loads, in one run and in turn, a bare node:http server, a bare Hono app and snaphook (callbacks
// verified, deduplicated, synced to disk and handed on), and prints the ratios: machines are noisy,
// a ratio within one run is not. Then the store by itself, up to a million events.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import autocannon from 'autocannon'
import { sign } from '../src/core/signature.ts'
import { startEmulator } from '../src/emulator/emulator.ts'
import { bodyOf, DOMAIN } from './callback.ts'

const CONNECTIONS = [64, 256]
const WARM_UP_SECONDS = 2
const SECONDS = 8
const ACCESS_KEY = { accessKeyId: 'bench', accessKeySecret: 'bench-secret' }
/** No signing within the load: a signature holds for the skew of five minutes, this run is shorter. */
const TIMESTAMP = String(Math.floor(Date.now() / 1000))
const READY_MS = 10_000
/** As `npm start` and the image run it: V8 then keeps its young generation, and so its RSS, small. */
const FLAGS = ['--max-semi-space-size=16']

type Server = {
  readonly name: string
  readonly port: number
  readonly key: string
  stop(): Promise<void>
}
type Figures = { readonly perSecond: number; readonly p99Ms: number }

async function startBare(kind: 'http' | 'hono'): Promise<Server> {
  const child = spawn(process.execPath, ['bench/bare.ts', kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(child.stdout), 'line')
  const name = kind === 'http' ? 'bare node:http' : 'bare Hono'
  return { name, port: JSON.parse(line).port, key: 'not-checked', stop: () => end(child) }
}

async function startSnaphook(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-bench-'))
  const emulator = await startEmulator({
    ...ACCESS_KEY,
    host: '127.0.0.1',
    port: 0,
    domains: [DOMAIN],
    streams: 0,
    intervalMs: 1_000,
  })
  const [port, opsPort] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, [...FLAGS, 'src/main.ts', 'serve'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ALIBABA_CLOUD_ACCESS_KEY_ID: ACCESS_KEY.accessKeyId,
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: ACCESS_KEY.accessKeySecret,
      SNAPHOOK_PUBLIC_URL: `http://127.0.0.1:${port}`,
      SNAPHOOK_DOMAINS: DOMAIN,
      SNAPHOOK_LISTEN: `127.0.0.1:${port}`,
      SNAPHOOK_OPS_LISTEN: `127.0.0.1:${opsPort}`,
      SNAPHOOK_STORE: `sqlite:${join(folder, 'snaphook.db')}`,
      SNAPHOOK_LIVE_ENDPOINT: emulator.url,
      SNAPHOOK_LOG_LEVEL: 'error',
    },
  })
  const begun = performance.now()
  await ready(`http://127.0.0.1:${opsPort}/readyz`)
  console.log(`ready ${Math.round(performance.now() - begun)} ms after its start\n`)
  const key = emulator.state().configurations[DOMAIN]?.notify?.NotifyAuthKey ?? ''
  return {
    name: 'snaphook',
    port,
    key,
    async stop() {
      const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()
      const shown =
        /^(snaphook_callbacks_total\S+|snaphook_store_commit_\S+_(sum|count)|snaphook_sink_lag_events\S+|process_resident_memory_bytes) [^0].*$/gm
      console.log(metrics.match(shown)?.join('\n'))
      await end(child)
      await emulator.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

async function ready(url: string): Promise<void> {
  const signal = AbortSignal.timeout(READY_MS)
  while (!signal.aborted) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('snaphook did not get ready')
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
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
for (const start of [() => startBare('http'), () => startBare('hono'), startSnaphook]) {
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
