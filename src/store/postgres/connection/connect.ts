// Makes a connection and looks what it leads to: a server that takes writes and keeps what it commits.

import pg from 'pg'
import type { PostgresLocation } from '../../../core/store-place.ts'
import { ConnectionLost, storeFault } from './faults.ts'
import { tlsOf } from './tls.ts'

/** Has the server notice within seconds that a replica is gone, and free what it held. */
const SESSION = `
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = 10000; set client_connection_check_interval = 5000;
  set client_min_messages = warning
`
const SERVER = `
  select pg_is_in_recovery() as standby, current_setting('fsync') = 'on' as fsync,
    current_setting('full_page_writes') = 'on' as pages,
    current_setting('transaction_read_only') = 'on' as "readOnly"
`
/** "Canceling wait for synchronous replication": what was committed may be on one disk only. */
const UNSURE = '01000'

export type ConnectionOptions = {
  readonly location: PostgresLocation
  /** Shown in `pg_stat_activity`. */
  readonly name: string
  /** Does without a server that takes writes. */
  readonly isForReading?: boolean
}

export type ConnectionEvents = {
  /** The connection broke, by itself or before it was made; `error` says why, if anything does. */
  onLost(client: pg.Client, error?: Error): void
  /** The server warned that a commit may not be replicated. */
  onUnsure(): void
}

export async function connect(
  { location, name, isForReading }: ConnectionOptions,
  { onLost, onUnsure }: ConnectionEvents,
  timeoutMs: number,
): Promise<pg.Client> {
  const client = new pg.Client({
    host: location.host,
    port: location.port,
    user: location.user,
    password: location.password ?? '',
    database: location.database,
    ssl: tlsOf(location),
    application_name: `snaphook ${name}`,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  })
  client.on('error', (error) => onLost(client, error))
  client.on('end', () => onLost(client))
  client.on('notice', ({ code }) => {
    if (code === UNSURE) onUnsure()
  })
  const inTime = <T>(work: Promise<T>, problem: string) =>
    within(work, timeoutMs, problem, () => cutOff(client))
  try {
    await inTime(client.connect(), 'no answer to a connect')
    const [server] = (await inTime(client.query(SERVER), 'no answer')).rows
    if (server?.standby) throw standbyFault(location)
    if (server?.readOnly && !isForReading) throw readOnlyFault(location)
    if (!server?.fsync || !server?.pages) throw unsafeFault(location)
    await inTime(client.query(SESSION), 'no answer')
    return client
  } catch (error) {
    cutOff(client)
    throw error
  }
}

/** Without a word: a polite end would wait for a server that hangs. */
export function cutOff(client: pg.Client): void {
  // The types leave it out; a socket is the only way to be rid of a server that hangs.
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } }
  connection?.stream?.destroy()
}

/** Rejects with `ConnectionLost` and calls `onLate` if `work` has not ended after so many ms. */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  problem: string,
  onLate: () => void,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new ConnectionLost(problem))
    onLate()
  }, ms)
  work.catch(() => undefined)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

function standbyFault(location: PostgresLocation): Error {
  const problem = 'is a standby, or a read-only endpoint: name the primary'
  return storeFault(location, problem, 'store_failed')
}

function readOnlyFault(location: PostgresLocation): Error {
  const problem =
    'takes no writes: see whether its disk is full, or default_transaction_read_only is on'
  return storeFault(location, problem, 'store_failed')
}

function unsafeFault(location: PostgresLocation): Error {
  const problem =
    'runs with fsync or full_page_writes off, so nothing is safe in it: switch both on'
  return storeFault(location, problem, 'store_failed')
}
