// One store, one `serve`: a lock that the kernel releases when the process dies, however it dies.
// It is SQLite's own write lock on a small database beside the store, taken by a transaction that
// never ends; readers may still look who holds it.
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { ServiceError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { makeFolderOf, realFile } from '../disk.ts'
import { isBusy, openFault, unavailable } from './faults.ts'

/** Longer than a replaced container takes to drain and end. */
const WAIT_MS = 15_000
/** Asking costs one system call or two. */
const POLL_MS = 100

export type LockOptions = {
  /** What others are told of us: pid, host, since when. */
  readonly holder: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Told once, if there is a wait, for whom. */
  readonly onWait?: (holder: string) => void
  readonly waitMs?: number
}

export interface Lock {
  release(): void
}

/** Stands for a holder that has not yet put its name down. */
const UNNAMED = 'another process'

/** A connection that is collected gives its lock back: those of this process are kept here. */
const held = new Set<DatabaseSync>()

/**
 * Takes the lock of the store at `path`, waiting for its holder to go. Rejects with `store_locked`,
 * which names the holder, when `waitMs` is over, and with `aborted` on `signal`.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const { holder, clock, signal, onWait, waitMs = WAIT_MS } = options
  const file = realFile(path)
  // Else a lock, and then a secret, would be left beside it, and no store.
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw unavailable(path, 'is a folder: name a file in it')
  }
  const lockPath = `${file}.lock`
  const db = open(lockPath)
  const deadline = clock.elapsed() + waitMs
  try {
    for (let tries = 1; !claim(db, holder); tries++) {
      if (tries === 1) onWait?.(readHolder(db) ?? UNNAMED)
      if (clock.elapsed() >= deadline) throw lockedFault(path, readHolder(db))
      await clock.sleep(POLL_MS, signal)
      if (signal.aborted)
        throw new ServiceError(`Stopped waiting for ${path}.`, { code: 'aborted' })
    }
  } catch (error) {
    db.close()
    throw openFault(error, lockPath)
  }
  held.add(db)
  return {
    release() {
      if (held.delete(db)) db.close()
    },
  }
}

function open(lockPath: string): DatabaseSync {
  try {
    makeFolderOf(lockPath)
    return new DatabaseSync(lockPath, { timeout: 0 })
  } catch (error) {
    throw openFault(error, lockPath)
  }
}

/** Whether the lock is ours now. The holder's name has to be committed before it can be read. */
function claim(db: DatabaseSync, holder: string): boolean {
  try {
    db.exec(`
      begin immediate;
      create table if not exists holder (one integer primary key check (one = 1), name text) strict;
    `)
    db.prepare(`
      insert into holder (one, name) values (1, ?)
      on conflict (one) do update set name = excluded.name
    `).run(holder)
    db.exec(`
      commit;
      begin immediate;
    `)
    // Between the two, somebody else may have put their name there: then we both try again.
    if (readHolder(db) === holder) return true
    db.exec('rollback')
    return false
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    if (isBusy(error)) return false
    throw error
  }
}

function readHolder(db: DatabaseSync): string | undefined {
  try {
    return db.prepare('select name from holder').get()?.name as string | undefined
  } catch {
    return undefined
  }
}

function lockedFault(path: string, holder = UNNAMED): ServiceError {
  const advice = 'stop it first, or give this one a store of its own'
  return new ServiceError(`The store ${path} is in use by ${holder}: ${advice}.`, {
    code: 'store_locked',
  })
}
