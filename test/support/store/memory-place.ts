// A store in memory, for tests of flows: the real one, on SQLite in this very thread, without files,
// worker and waiting. So it keeps the contract of stores, and moves when that does.
import { DatabaseSync } from 'node:sqlite'
import { ServiceError } from '../../../src/errors.ts'
import type { Seals } from '../../../src/store/sealed-rings/seal.ts'
import { openSqliteStore, type SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { offerDatabase } from '../../../src/store/sqlite/worker/database.ts'
import { migrate } from '../../../src/store/sqlite/worker/migrate.ts'
import type { startWriter } from '../../../src/store/sqlite/writer-link.ts'

const PATH = ':memory:'

/** Seals nothing: what a ring holds is read back without waiting. */
export const NO_SEALS: Seals = {
  seal: async (text) => text,
  open: async (text) => text,
}

/** A place that is gone with the test; it may be opened several times, and outlives being closed. */
export function memoryPlace(now: () => number = () => 1) {
  const db = new DatabaseSync(PATH)
  migrate(db, PATH)
  const file = { path: PATH, readOnly: false }
  const database = offerDatabase(db, file, {
    checkedFor: (commit) => commit(),
    saveDeleted() {},
  })
  const start: typeof startWriter = async () => {
    let isOpen = true
    return {
      async call(method, argument) {
        if (!isOpen) throw new ServiceError('The store is closed.', { code: 'store_failed' })
        return (database[method] as (given: unknown) => never)(argument)
      },
      async close() {
        isOpen = false
      },
    }
  }
  return {
    db,
    database,
    open: (seals: Seals = NO_SEALS): Promise<SqliteStore> =>
      openSqliteStore({
        path: PATH,
        seals,
        now,
        startWriter: start,
        gather: async () => undefined,
      }),
  }
}
