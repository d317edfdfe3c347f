// Changes of a running server: its settings, and whom it lets in. In force when they return.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../until.ts'
import { giveToOther } from './postgres-cluster.ts'
import type { PostgresServer } from './postgres-server.ts'

/** Settings of the whole server; null takes one back. */
export async function set(
  server: PostgresServer,
  settings: Readonly<Record<string, string | null>>,
): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    const change = value === null ? `reset ${name}` : `set ${name} = '${value}'`
    await server.query(`alter system ${change}`)
  }
  await reload(server)
}

/** Puts rules before all others of pg_hba.conf; returns what takes them out again. */
export async function letIn(
  server: PostgresServer,
  rules: readonly string[],
): Promise<() => Promise<void>> {
  const file = join(server.folder, 'pg_hba.conf')
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, `${rules.join('\n')}\n${before}`)
  await reload(server)
  return () => {
    writeFileSync(file, before)
    return reload(server)
  }
}

/** Has it show this certificate from now on. */
export async function encrypt(
  server: PostgresServer,
  { key, cert }: { key: string; cert: string },
): Promise<void> {
  for (const [name, text] of Object.entries({ 'tls.key': key, 'tls.pem': cert })) {
    const file = join(server.folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    giveToOther(file)
  }
  await set(server, { ssl: 'on', ssl_key_file: 'tls.key', ssl_cert_file: 'tls.pem' })
}

export async function reload(server: PostgresServer): Promise<void> {
  const [before] = await server.query('select clock_timestamp() as at')
  await server.query('select pg_reload_conf()')
  await until('the server has its new settings', async () => {
    const [found] = await server.query('select pg_conf_load_time() > $1 as fresh', [before?.at])
    return found?.fresh
  })
}
