// A PgBouncer in transaction mode: each transaction may run on another connection to the server, and
// connections of clients outlive those. Where it is not installed its tests are skipped, and one line
// says so.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { until } from '../until.ts'
import { asOther, giveToOther } from './postgres-cluster.ts'
import { freePort } from './postgres-server.ts'

export function hasPgbouncer(): boolean {
  const found = spawnSync('pgbouncer', ['--version']).status === 0
  if (!found) console.warn('pgbouncer is not on the PATH: the tests that need it are skipped')
  return found
}

/** Starts one in front of the server on a port. */
export async function startPgbouncer(server: { port: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-pgbouncer-'))
  giveToOther(folder)
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  const settings = [
    '[databases]',
    // Whoever comes is taken for this role.
    `* = host=127.0.0.1 port=${server.port} user=snaphook`,
    '[pgbouncer]',
    ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir ='],
    ...['pool_mode = transaction', 'auth_type = any', 'default_pool_size = 20'],
    // A server that is gone is tried again soon.
    'server_login_retry = 1',
  ]
  writeFileSync(file, `${settings.join('\n')}\n`)
  const child = spawn('pgbouncer', ['--quiet', file], { ...asOther, cwd: folder, stdio: 'ignore' })
  const client = { host: '127.0.0.1', port, user: 'snaphook', database: 'snaphook' }
  await until('pgbouncer answers', async () => {
    const probe = new pg.Client(client)
    probe.on('error', () => undefined)
    return probe
      .connect()
      .then(() => true)
      .catch(() => false)
      .finally(() => probe.end())
  })
  return {
    port,
    async remove() {
      const ended = once(child, 'exit')
      child.kill('SIGQUIT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
