// Real servers for the tests of sinks, each on a port and in a folder of its own. Where a server is
// not on the PATH its tests are skipped, and one line says so.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../until.ts'

export type Server = AsyncDisposable & {
  readonly port: number
  readonly folder: string
  /** At once, as a crash of the machine would be; its folder stays. */
  kill(): Promise<void>
  /** It hangs: connections stay, and nothing is answered until `resume`. */
  pause(): void
  resume(): void
  /** Where it was, on the same port and folder. */
  start(): Promise<void>
}

/** Whether a server can be run here; if not, says that its tests are skipped. */
export function hasServer(name: 'redis-server' | 'nats-server'): boolean {
  const found = spawnSync(name, ['--version']).status === 0
  if (!found) console.warn(`${name} is not on the PATH: the tests that need it are skipped`)
  return found
}

type Certificate = { readonly key: string; readonly cert: string; readonly ca: string }

/** A Redis that has written what it confirms; `args` are settings on top. */
export function startRedis(...args: string[]): Promise<Server> {
  return startServer((port, folder) => redisCommand(folder, ['--port', `${port}`, ...args]))
}

/** One that speaks TLS alone, with the files of a certificate. */
export function startRedisWithTls({ key, cert, ca }: Certificate): Promise<Server> {
  const files = ['--tls-key-file', key, '--tls-cert-file', cert, '--tls-ca-cert-file', ca]
  return startServer((port, folder) => {
    const place = ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no']
    return redisCommand(folder, [...place, ...files])
  })
}

function redisCommand(folder: string, args: string[]): string[] {
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  return ['redis-server', '--bind', '127.0.0.1', '--dir', folder, ...durable, ...args]
}

/** A NATS server with JetStream; `args` are options on top. */
export function startNats(...args: string[]): Promise<Server> {
  return startServer((port, folder) => {
    const place = ['-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', folder]
    return ['nats-server', ...place, ...args]
  })
}

async function startServer(command: (port: number, folder: string) => string[]): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-server-'))
  const port = await freePort()
  const [name = '', ...args] = command(port, folder)
  let child: ChildProcess | undefined
  let said = ''

  async function start(): Promise<void> {
    const mine = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    child = mine
    for (const stream of [mine.stdout, mine.stderr]) stream.on('data', (text) => (said += text))
    await until(`${name} to listen`, () => {
      if (mine.exitCode !== null) throw new Error(`${name} ended: ${said}`)
      return isListening(port)
    })
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }

  const server = {
    port,
    folder,
    start,
    kill,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await start()
  return server
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => resolve(true))
  socket.on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

/** Free a moment ago: a server that must come back on its port can not be given any. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
