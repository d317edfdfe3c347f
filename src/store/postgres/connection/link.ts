// One connection to the server, as long as it is wanted: work is done on it one at a time and within
// a deadline, a connection that is lost is replaced. A hanging server is told by the deadline: the
// socket is then destroyed, never a cancel sent, since that would end a commit's wait for a standby.

import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { PostgresLocation } from '../../../core/store-place.ts'
import { ConnectionLost, endsConnection, isPermanent, storeFault } from './faults.ts'
import { tlsOf } from './tls.ts'

/** The pause before another try to connect: doubled up to the longest, with jitter. */
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 2_000
const CONNECT_TIMEOUT_MS = 5_000
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

const NO_CONNECTION = new ConnectionLost('no connection')

export type Row = Readonly<Record<string, unknown>>

/** What work may do while it has the connection. */
export interface Session {
  /** Numbers are to be `float8`, or `int4`: `int8` comes as text. */
  rows(statement: string, values?: readonly unknown[]): Promise<Row[]>
  /** Several statements without values. */
  script(statements: string): Promise<void>
  /** Whether the server warned, during this work, that a commit may not be replicated. */
  isUnsure(): boolean
}

export interface Link {
  /** Within the deadline waits for its turn, connection and answer; rejects with `ConnectionLost` or the server's error. */
  run<T>(work: (session: Session) => Promise<T>, deadlineMs: number): Promise<T>
  /** Since when there is no connection, in `performance.now()`, and why; null while there is one. */
  down(): { readonly since: number; readonly fault: unknown } | null
  /** Ends after the work that it was given. */
  close(): Promise<void>
}

export type LinkOptions = {
  readonly location: PostgresLocation
  /** Shown in `pg_stat_activity`. */
  readonly name: string
  /** Does without a server that takes writes. */
  readonly isForReading?: boolean
  /** Told when a connection is made or lost. */
  readonly onChange?: (isConnected: boolean) => void
}

/**
 * Connects at the first work, and again after each loss. What no waiting mends, such as a wrong
 * password, ends the wait for the first connection at once. Later it may be a failover under way, or a
 * password that is changed in two places, and is waited for as all else is.
 */
export function createLink({ location, name, isForReading, onChange }: LinkOptions): Link {
  let client: pg.Client | undefined
  let lostAt: number | null = performance.now()
  let lastFault: unknown
  let turn: Promise<unknown> = Promise.resolve()
  let unsure = false
  let closed = false
  let wasConnected = false

  function drop(gone: pg.Client): void {
    if (client === gone) {
      client = undefined
      lostAt = performance.now()
      onChange?.(false)
      void comeBack()
    }
    // Without a word: a polite end would wait for a server that hangs.
    streamOf(gone)?.destroy()
  }

  async function connect(timeoutMs: number): Promise<pg.Client> {
    const made = new pg.Client({
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
    made.on('error', (error) => {
      // What is dropped says so, which is not why.
      if (client === made) lastFault = error
      drop(made)
    })
    made.on('end', () => drop(made))
    made.on('notice', ({ code }) => {
      unsure ||= code === UNSURE
    })
    try {
      await within(made.connect(), timeoutMs, 'no answer to a connect', () => drop(made))
      const [server] = (await within(made.query(SERVER), timeoutMs, 'no answer', () => drop(made)))
        .rows
      if (server?.standby) throw standbyFault(location)
      if (server?.readOnly && !isForReading) throw readOnlyFault(location)
      if (!server?.fsync || !server?.pages) throw unsafeFault(location)
      await within(made.query(SESSION), timeoutMs, 'no answer', () => drop(made))
    } catch (error) {
      drop(made)
      throw error
    }
    client = made
    wasConnected = true
    lostAt = null
    lastFault = undefined
    onChange?.(true)
    return made
  }

  /** Tries until `deadline`: a restart of the server costs nobody an answer. */
  async function connected(deadline: number): Promise<pg.Client> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      if (client !== undefined) return client
      const left = deadline - performance.now()
      if (left <= 0) throw lastFault ?? NO_CONNECTION
      try {
        return await connect(Math.min(left, CONNECT_TIMEOUT_MS))
      } catch (error) {
        lastFault = error
        if (!wasConnected && isPermanent(error)) throw error
        const waitMs = retryMs * (0.5 + Math.random() / 2)
        if (closed || performance.now() + waitMs >= deadline) throw error
        await pause(waitMs)
      }
    }
  }

  /** Nobody may have work for it as long as it is gone: it comes back by itself. */
  async function comeBack(): Promise<void> {
    while (client === undefined && !closed) {
      await run(async () => undefined, CONNECT_TIMEOUT_MS).catch(() => undefined)
      await pause(FIRST_RETRY_MS)
    }
  }

  function run<T>(work: (session: Session) => Promise<T>, deadlineMs: number): Promise<T> {
    if (closed) return Promise.reject(storeFault(location, 'is closed', 'store_failed'))
    const deadline = performance.now() + deadlineMs
    const mine = turn.then(() => attempt(work, deadline))
    turn = mine.catch(() => undefined)
    // What is before it in the line may take long: nobody waits for more than they asked to.
    return within(mine, deadlineMs, 'no answer in time', () => undefined)
  }

  async function attempt<T>(work: (session: Session) => Promise<T>, deadline: number) {
    const using = await connected(deadline)
    unsure = false
    try {
      const left = deadline - performance.now()
      if (left <= 0) throw new ConnectionLost('no answer in time')
      return await within(work(sessionOn(using)), left, 'no answer in time', () => drop(using))
    } catch (error) {
      // An error that left a transaction open, or a server that is not what it was.
      if (endsConnection(error)) drop(using)
      if (client !== using) throw lossOf(error)
      throw error
    }
  }

  function sessionOn(using: pg.Client): Session {
    return {
      async rows(text, values = []) {
        return (await using.query({ text, values: [...values] })).rows
      },
      async script(statements) {
        await using.query(statements)
      },
      isUnsure: () => unsure,
    }
  }

  return {
    run,
    down: () => (lostAt === null ? null : { since: lostAt, fault: lastFault ?? NO_CONNECTION }),
    async close() {
      closed = true
      await turn
      const last = client
      client = undefined
      if (last === undefined) return
      last.removeAllListeners('end')
      await within(last.end(), 1_000, 'no answer', () => streamOf(last)?.destroy()).catch(() => {})
    },
  }
}

/** A transaction of ours, with the wished durability; rolled back if `work` fails. */
export async function transact<T>(
  session: Session,
  sync: string,
  work: () => Promise<T>,
): Promise<T> {
  await session.script(
    `begin; set local synchronous_commit = ${sync}; set local lock_timeout = '2s';
     set local idle_in_transaction_session_timeout = '10s'`,
  )
  try {
    const done = await work()
    await session.script('commit')
    return done
  } catch (error) {
    await session.script('rollback').catch(() => undefined)
    throw error
  }
}

function lossOf(error: unknown): unknown {
  if (endsConnection(error)) return error
  const reason = error instanceof Error ? error.message : 'unknown'
  return new ConnectionLost(reason, { cause: error })
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

function streamOf(client: pg.Client): { destroy(): void } | undefined {
  // The types leave it out; a socket is the only way to be rid of a server that hangs.
  return (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream
}

async function within<T>(
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
