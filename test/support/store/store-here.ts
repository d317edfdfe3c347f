// The store on its file, in this very thread: for tests of what is above it. A thread of its own costs
// more than most of them; those of the store, and all with a process, have it.
import { ServiceError } from '../../../src/errors.ts'
import { faultOf, toError } from '../../../src/store/sqlite/faults.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { type Database, openDatabase } from '../../../src/store/sqlite/worker/database.ts'
import type { startWriter } from '../../../src/store/sqlite/writer-link.ts'

export const openStoreHere: typeof openSqliteStore = (options) =>
  openSqliteStore({ startWriter: startWriterHere, ...options })

const startWriterHere: typeof startWriter = async (_entry, file) => {
  let database: Database | undefined = told(file.path, () => openDatabase(file))
  return {
    async call(method, argument, transfer = []) {
      if (database === undefined) {
        throw new ServiceError('The store is closed.', { code: 'store_failed' })
      }
      const run = database[method] as (given: unknown) => unknown
      // Both ways it goes as between threads.
      const given = structuredClone(argument as unknown, { transfer: [...transfer] })
      return structuredClone(told(file.path, () => run(given))) as never
    },
    async close() {
      database?.close()
      database = undefined
    },
  }
}

/** A fault as the other side of a thread would hear of it. */
function told<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toError(faultOf(error, path))
  }
}
