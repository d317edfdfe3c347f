// What the benches start, each in a process of its own: the emulated provider and snaphook itself.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { EmulatorState } from '../../src/emulator/emulator.ts'

/** As `npm start` and the image run it: V8 then keeps its young generation, and so its RSS, small. */
export const FLAGS = ['--max-semi-space-size=16']
const ACCESS_KEY = { id: 'bench', secret: 'bench-secret' }
const READY_MS = 10_000

export type Provider = Awaited<ReturnType<typeof startProvider>>
export type Snaphook = Awaited<ReturnType<typeof startSnaphook>>

/** An emulator that knows `domains`, and pushes `streams` by itself. */
export async function startProvider(
  domains: readonly string[],
  { streams = 0, interval = '5s' }: { streams?: number; interval?: string } = {},
) {
  const address = `127.0.0.1:${await freePort()}`
  const named = domains.flatMap((domain) => ['--domain', domain])
  const keys = ['--access-key-id', ACCESS_KEY.id, '--access-key-secret', ACCESS_KEY.secret]
  const pushes = ['--streams', String(streams), '--interval', interval]
  const args = ['src/main.ts', 'emulator', '--listen', address, ...pushes, ...keys, ...named]
  const { child } = await startChild(args)
  const url = `http://${address}`
  return {
    url,
    state: async () => (await (await fetch(`${url}/emulator/state`)).json()) as EmulatorState,
    stop: () => end(child),
  }
}

/** A folder for a store; `remove` it after the services on it have ended. */
export function makeFolder() {
  const path = mkdtempSync(join(tmpdir(), 'snaphook-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true }) }
}

/** `serve` on a store in `folder`, once it listens. */
export async function startSnaphook(options: {
  provider: Provider
  domains: readonly string[]
  /** Of its store, where the settings name none. */
  folder?: string
  /** A service that is started again keeps its port, and so its public URL. */
  port?: number
  settings?: Readonly<Record<string, string>>
  flags?: readonly string[]
}) {
  const { provider, domains, folder = '', settings, flags = [] } = options
  const [port, opsPort] = [options.port ?? (await freePort()), await freePort()]
  const begun = performance.now()
  const child = spawn(process.execPath, [...FLAGS, ...flags, 'src/main.ts', 'serve'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ALIBABA_CLOUD_ACCESS_KEY_ID: ACCESS_KEY.id,
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: ACCESS_KEY.secret,
      SNAPHOOK_PUBLIC_URL: `http://127.0.0.1:${port}`,
      SNAPHOOK_DOMAINS: domains.join(),
      SNAPHOOK_LISTEN: `127.0.0.1:${port}`,
      SNAPHOOK_OPS_LISTEN: `127.0.0.1:${opsPort}`,
      SNAPHOOK_STORE: `sqlite:${join(folder, 'snaphook.db')}`,
      SNAPHOOK_LIVE_ENDPOINT: provider.url,
      SNAPHOOK_LOG_LEVEL: 'error',
      ...settings,
    },
  })
  const get = async (path: string) => fetch(`http://127.0.0.1:${opsPort}${path}`)
  await within(READY_MS, 'snaphook listens', async () => (await get('/healthz')).ok)
  return {
    pid: child.pid ?? 0,
    port,
    ops: `http://127.0.0.1:${opsPort}`,
    /** When it was started, as `performance.now()` tells. */
    begun,
    registrations: async () => {
      const { registrations } = (await (await get('/v1/registrations')).json()) as {
        registrations: { state: string }[]
      }
      return registrations
    },
    ready: () => within(READY_MS, 'snaphook is ready', async () => (await get('/readyz')).ok),
    metrics: async () => (await get('/metrics')).text(),
    stop: () => end(child),
  }
}

/** Runs a script that prints one line of JSON when it is ready, or done; returns it. */
export async function startChild(args: readonly string[]): Promise<{
  child: ChildProcess
  line: string
}> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  return { child, line }
}

/** Waits for a condition; one that throws does not hold yet. */
export async function within(
  ms: number,
  label: string,
  holds: () => Promise<boolean>,
  pollMs = 10,
): Promise<void> {
  const signal = AbortSignal.timeout(ms)
  while (!signal.aborted) {
    if (await holds().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  throw new Error(`waited in vain: ${label}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

export async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}
