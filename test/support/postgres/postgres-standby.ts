// A standby of a test's server: a copy of its data folder, taken while it runs, that follows it. No
// program is needed for it but the server itself.
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { until } from '../until.ts'
import { asOther, giveToOther } from './postgres-cluster.ts'
import { configure, newFolder, type PostgresServer, serverOn } from './postgres-server.ts'

/** Makes and starts a standby of `primary` that calls itself `name`, and waits until it follows. */
export async function startStandby(
  primary: PostgresServer,
  { name, via = primary.port }: { name: string; via?: number },
): Promise<PostgresServer> {
  const folder = newFolder()
  const data = join(folder, 'data')
  const label = await whileBackingUp(primary, () => copyData(primary.folder, data))
  writeFileSync(join(data, 'backup_label'), label)
  giveToOther(join(data, 'backup_label'))
  follow(data, { port: via, name })
  const standby = await serverOn(folder)
  await standby.start()
  await until('the standby to follow', async () => {
    const statement = 'select from pg_stat_replication where application_name = $1'
    return (await primary.query(statement, [name])).length === 1
  })
  return standby
}

/** Has the server on a data folder follow another one from its next start on. */
export function follow(data: string, { port, name }: { port: number; name: string }): void {
  const at = `host=127.0.0.1 port=${port} user=admin application_name=${name}`
  configure(data, { primary_conninfo: `'${at}'`, recovery_target_timeline: 'latest' })
  writeFileSync(join(data, 'standby.signal'), '')
  giveToOther(join(data, 'standby.signal'))
}

/** Waits until a standby has replayed what its primary has written. */
export async function caughtUp(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const [row] = await primary.query('select pg_current_wal_flush_lsn() as lsn')
  await until('the standby has caught up', async () => {
    const replayed = 'select pg_last_wal_replay_lsn() >= $1 as done'
    return (await standby.query(replayed, [row?.lsn]))[0]?.done
  })
}

/** Returns the label without which the copy would be taken for a crashed server. */
async function whileBackingUp(primary: PostgresServer, copy: () => void): Promise<string> {
  const { port } = primary
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'admin', database: 'postgres' })
  await client.connect()
  try {
    await client.query(`select pg_backup_start('standby', true)`)
    copy()
    const { rows } = await client.query('select labelfile from pg_backup_stop(false)')
    return String(rows[0]?.labelfile)
  } finally {
    await client.end()
  }
}

function copyData(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to], { ...asOther, stdio: 'pipe', cwd: '/' })
  for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(join(to, name), { force: true })
}
