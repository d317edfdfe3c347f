// One connection to the server, as long as it is wanted: work is done on it one at a time and within
// a deadline, a connection that is lost is replaced. A hanging server is told by the deadline: the
// socket is then destroyed, never a cancel sent, since that would end a commit's wait for a standby.

import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { type ConnectionOptions, connect, cutOff, within } from './connect.ts'
import { ConnectionLost, endsConnection, isPermanent, storeFault } from './faults.ts'
import { type Session, sessionOn } from './session.ts'

/** The pause before another try to connect: doubled up to the longest, with jitter. */
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 2_000
const CONNECT_TIMEOUT_MS = 5_000

const NO_CONNECTION = new ConnectionLost('no connection')

export interface Link {
  /** Within the deadline waits for its turn, connection and answer; rejects with `ConnectionLost` or the server's error. */
  run<T>(work: (session: Session) => Promise<T>, deadlineMs: number): Promise<T>
  /** Since when there is no connection, in `performance.now()`, and why; null while there is one. */
  down(): { readonly since: number; readonly fault: unknown } | null
  /** Ends after the work that it was given. */
  close(): Promise<void>
}

export type LinkOptions = ConnectionOptions & {
  /** Told when a connection is made or lost. */
  readonly onChange?: (isConnected: boolean) => void
}

/**
 * Connects at the first work, and again after each loss. What no waiting mends, such as a wrong
 * password, ends the wait for the first connection at once. Later it may be a failover under way, or a
 * password that is changed in two places, and is waited for as all else is.
 */
export function createLink({ onChange, ...options }: LinkOptions): Link {
  let client: pg.Client | undefined
  let lostAt: number | null = performance.now()
  let lastFault: unknown
  let turn: Promise<unknown> = Promise.resolve()
  let unsure = false
  let closed = false
  let wasConnected = false

  const events = {
    onLost(gone: pg.Client, error?: Error) {
      // What is dropped says so, which is not why.
      if (client === gone && error !== undefined) lastFault = error
      drop(gone)
    },
    onUnsure() {
      unsure = true
    },
  }

  function drop(gone: pg.Client): void {
    if (client === gone) {
      client = undefined
      lostAt = performance.now()
      onChange?.(false)
      void comeBack()
    }
    cutOff(gone)
  }

  /** Tries until `deadline`: a restart of the server costs nobody an answer. */
  async function connected(deadline: number): Promise<pg.Client> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      if (client !== undefined) return client
      const left = deadline - performance.now()
      if (left <= 0) throw lastFault ?? NO_CONNECTION
      try {
        client = await connect(options, events, Math.min(left, CONNECT_TIMEOUT_MS))
        wasConnected = true
        lostAt = null
        lastFault = undefined
        onChange?.(true)
        return client
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
    if (closed) return Promise.reject(storeFault(options.location, 'is closed', 'store_failed'))
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
      const session = sessionOn(using, () => unsure)
      return await within(work(session), left, 'no answer in time', () => drop(using))
    } catch (error) {
      // An error that left a transaction open, or a server that is not what it was.
      if (endsConnection(error)) drop(using)
      if (client !== using) throw lossOf(error)
      throw error
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
      await within(last.end(), 1_000, 'no answer', () => cutOff(last)).catch(() => {})
    },
  }
}

function lossOf(error: unknown): unknown {
  if (endsConnection(error)) return error
  const reason = error instanceof Error ? error.message : 'unknown'
  return new ConnectionLost(reason, { cause: error })
}
