// What work does on a connection while it is its turn: statements, scripts, transactions.

import type pg from 'pg'

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

export function sessionOn(client: pg.Client, isUnsure: () => boolean): Session {
  return {
    async rows(text, values = []) {
      return (await client.query({ text, values: [...values] })).rows
    },
    async script(statements) {
      await client.query(statements)
    },
    isUnsure,
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
