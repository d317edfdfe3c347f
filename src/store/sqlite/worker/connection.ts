// Opens the one file of a store. Every commit is on disk when it returns (`synchronous=full`), and
// readers are never in the writer's way (WAL). Blocks: for the worker thread, and for tests.
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { makeFolderOf, realFile } from '../../disk.ts'
import { isBusy, openFault, unavailable } from '../faults.ts'
import { refuseUnfinishedCopy } from './copying.ts'
import { checkSchema, migrate } from './migrate.ts'

/** A command beside a running service holds the lock for milliseconds; a backup may take longer. */
const BUSY_TIMEOUT_MS = 5_000
/** Switching to WAL reports a busy file at once instead of waiting, so we ask again. */
const BUSY_RETRY_MS = 10
/** A log that one slow reader made grow is cut back to this, in bytes, once it has been copied. */
const KEPT_WAL_BYTES = 64 * 1024 * 1024

export type StoreFile = {
  readonly path: string
  readonly readOnly: boolean
  /** Read beside a writer of this process: what it commits from now on shows. */
  readonly isLive?: boolean
  /** Also a store into which a copy is under way. */
  readonly isForCopy?: boolean
}

/**
 * Opens the store, making and migrating it unless `readOnly`. Throws `store_unavailable` or
 * `store_newer` with a sentence on what to do.
 */
export function openConnection(file: StoreFile): DatabaseSync {
  const { path, readOnly, isLive = false, isForCopy = false } = file
  try {
    const db = readOnly ? openForReading(path, isLive) : openForWriting(path)
    return closedUnless(db, () => {
      if (!isForCopy) refuseUnfinishedCopy(db, path)
    })
  } catch (error) {
    throw openFault(error, path)
  }
}

function openForWriting(path: string): DatabaseSync {
  // `:memory:` and the like are no files.
  const file = path.startsWith(':') ? path : realFile(path)
  try {
    makeFolderOf(file)
  } catch (cause) {
    throw unavailable(path, 'has no folder and none can be made: check the path', cause)
  }
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  return closedUnless(db, () => {
    retryWhileBusy(() => migrate(db, path))
    const mode = retryWhileBusy(() => db.prepare('pragma journal_mode = wal').get()?.journal_mode)
    if (mode !== 'wal') throw unavailable(path, 'is not on local or block storage: WAL needs one')
    db.exec('pragma synchronous = full')
    db.exec(`pragma journal_size_limit = ${KEPT_WAL_BYTES}`)
  })
}

function openForReading(path: string, isLive: boolean): DatabaseSync {
  if (!existsSync(path)) throw unavailable(path, 'does not exist: start the service to make it')
  const file = realFile(path)
  const url = pathToFileURL(file)
  // Even a reader makes a log where there is none, and leaves it behind. Without one nobody has
  // the store open, and the file alone is all there is to read.
  if (!isLive && !existsSync(`${file}-wal`)) url.searchParams.set('immutable', '1')
  const db = new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  return closedUnless(db, () => checkSchema(db, path))
}

function closedUnless(db: DatabaseSync, prepare: () => void): DatabaseSync {
  try {
    prepare()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function retryWhileBusy<T>(attempt: () => T): T {
  const deadline = performance.now() + BUSY_TIMEOUT_MS
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      pause(BUSY_RETRY_MS)
    }
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms)
}
