// Loads, in one run and in turn, a bare node:http server, a bare Hono app and snaphook (callbacks
// verified, deduplicated, synced to disk and handed on), and prints the ratios: machines are noisy,
// a ratio within one run is not. Then the store by itself, up to a million events.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { DOMAIN } from './tools/callback.ts'
import { generatorName, type Load, load, type Target } from './tools/generator.ts'
import {
  end,
  FLAGS,
  makeFolder,
  startChild,
  startProvider,
  startSnaphook,
} from './tools/processes.ts'
import { type Usage, usageOf } from './tools/usage.ts'

const CONNECTIONS = [64, 256]
const WARM_UP_SECONDS = 2
/** A short run, such as `npm run bench -- load 2`, shows that the bench works, and little more. */
const SECONDS = Number(process.argv[3] ?? 8)

type Server = Target & { readonly name: string; readonly pid: number; stop(): Promise<void> }
type Figures = {
  readonly perSecond: number
  readonly p99Ms: number
  /** Of one request; NaN where it can't be known. */
  readonly use: Usage
}

async function startBare(kind: 'http' | 'hono'): Promise<Server> {
  const { child, line } = await startChild(['bench/tools/bare.ts', kind])
  return {
    name: kind === 'http' ? 'bare node:http' : 'bare Hono',
    pid: child.pid ?? 0,
    port: JSON.parse(line).port,
    key: 'not-checked',
    stop: () => end(child),
  }
}

async function startReal(): Promise<Server> {
  const folder = makeFolder()
  const provider = await startProvider([DOMAIN])
  const snaphook = await startSnaphook({ provider, domains: [DOMAIN], folder: folder.path })
  await snaphook.ready()
  console.log(`ready ${Math.round(performance.now() - snaphook.begun)} ms after its start`)
  const { configurations } = await provider.state()
  return {
    name: 'snaphook',
    pid: snaphook.pid,
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

async function measure(server: Server, connections: number): Promise<Figures> {
  const before = usageOf(server.pid)
  const result = await load(server, connections, SECONDS)
  return {
    perSecond: result.requests / result.seconds,
    p99Ms: result.p99Ms,
    use: perRequest(before, usageOf(server.pid), result),
  }
}

function perRequest(before: Usage | undefined, after: Usage | undefined, { requests }: Load) {
  const of = (key: keyof Usage) =>
    before && after ? (after[key] - before[key]) / requests : Number.NaN
  return {
    mainUs: of('mainUs'),
    storeUs: of('storeUs'),
    readerUs: of('readerUs'),
    otherUs: of('otherUs'),
    writtenBytes: of('writtenBytes'),
  }
}

console.log(`the load comes from ${await generatorName()}`)
const figures = new Map<string, Figures>()
for (const start of [() => startBare('http'), () => startBare('hono'), startReal]) {
  const server = await start()
  await load(server, 64, WARM_UP_SECONDS)
  for (const connections of CONNECTIONS) {
    figures.set(`${server.name} ${connections}`, await measure(server, connections))
  }
  await server.stop()
}

const HEADING = ['connections', 'requests/s', 'p99 ms', 'main µs', 'store µs', 'other µs', 'bytes']
console.log(`\n${'server'.padEnd(15)}${columns([...HEADING, 'of http', 'of Hono'])}`)
for (const connections of CONNECTIONS) {
  for (const name of ['bare node:http', 'bare Hono', 'snaphook']) {
    const { perSecond, p99Ms, use } = figures.get(`${name} ${connections}`) as Figures
    const of = (other: string) =>
      (perSecond / (figures.get(`${other} ${connections}`) as Figures).perSecond).toFixed(2)
    const cells = [connections, perSecond, p99Ms, use.mainUs, use.storeUs, use.otherUs]
    const rounded = [...cells, use.writtenBytes].map((each) => each.toFixed(0))
    console.log(`${name.padEnd(15)}${columns([...rounded, of('bare node:http'), of('bare Hono')])}`)
  }
}
console.log('µs: processor time of one request, by thread; bytes: written to disk for one request')

function columns(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(Math.max(cell.length, 10) + 1)).join('')
}

console.log('\nthe store by itself:')
const append = spawn(process.execPath, [...FLAGS, 'bench/append.ts'], { stdio: 'inherit' })
await once(append, 'exit')
