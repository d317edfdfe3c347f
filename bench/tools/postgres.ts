// A PostgreSQL for the benches, from npm as in the tests, and what its processes use.
import { readdirSync, readFileSync } from 'node:fs'
import { type PostgresServer, startPostgres } from '../../test/support/postgres/postgres-server.ts'

/** As a small managed instance has it, but for the memory; what is committed is synced. */
const SETTINGS = {
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '5min',
  // So that what its own processes did can be told from the rest of the machine.
  track_activities: 'on',
}

export function startServer(settings: Readonly<Record<string, string>> = {}) {
  return startPostgres({ ...SETTINGS, ...settings })
}

export type ServerUsage = {
  /** Microseconds on a processor, of the sessions that append, of all other sessions, of the rest. */
  readonly appendsUs: number
  readonly sessionsUs: number
  readonly backgroundUs: number
}

/** What the server's processes have used so far; those that have ended count as background. */
export async function usageOfServer(server: PostgresServer): Promise<ServerUsage> {
  const named = await server.query(
    `select pid, application_name as name from pg_stat_activity where usename = 'snaphook'`,
  )
  const names = new Map(named.map(({ pid, name }) => [Number(pid), String(name)]))
  const used = { appendsUs: 0, sessionsUs: 0, backgroundUs: endedUs(server.pid()) }
  for (const pid of [server.pid(), ...childrenOf(server.pid())]) {
    const name = names.get(pid)
    if (name === undefined) used.backgroundUs += runUs(pid)
    else if (name.endsWith('appends')) used.appendsUs += runUs(pid)
    else used.sessionsUs += runUs(pid)
  }
  return used
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => statOf(child)[1] === String(pid))
}

/** The fields of `/proc/PID/stat` behind the name, which may hold anything. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return []
  }
}

function runUs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000
  } catch {
    return 0
  }
}

/** Of children that were waited for: in clock ticks, of which there are a hundred in a second. */
function endedUs(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields[13]) + Number(fields[14])) * 10_000
}
