// Whether the file of an open store still has its name. What is written to one that was moved or
// deleted would be answered as kept, and never be found again.
import { existsSync, fstatSync, readdirSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { ServiceError } from '../../../errors.ts'
import { syncFile, syncFolderOf } from '../../disk.ts'

/** Where Linux lists what a process has open; elsewhere a deleted file is not told from a moved one. */
const OPEN_FILES = '/proc/self/fd'

export interface FileInUse {
  /**
   * Makes a commit, and throws `store_damaged` unless the file is at its path then: one that is there
   * after the commit keeps it. A commit that fails because the file is gone is said to fail for that.
   */
  checkedFor<T>(commit: () => T): T
  /** Writes what a deleted file held to a new file at its path, unless something is there. */
  saveDeleted(db: DatabaseSync): void
}

/** Watches the file at `path`, which is open. */
export function watchFile(path: string): FileInUse {
  const { dev, ino } = statSync(path)
  const isSame = (found: { dev: number; ino: number } | undefined) =>
    found?.dev === dev && found.ino === ino

  return {
    checkedFor(commit) {
      try {
        return commit()
      } finally {
        check()
      }
    },
    saveDeleted(db) {
      if (existsSync(path) || !isDeleted()) return
      db.prepare('vacuum into ?').run(path)
      syncFile(path)
      syncFolderOf(path)
    },
  }

  function check(): void {
    if (!isSame(statSync(path, { throwIfNoEntry: false }))) throw moved(path)
  }

  function isDeleted(): boolean {
    if (!existsSync(OPEN_FILES)) return false
    return readdirSync(OPEN_FILES).some((descriptor) => {
      const found = statOf(Number(descriptor))
      return isSame(found) && found?.nlink === 0
    })
  }
}

/** Undefined for the descriptor of the listing itself, which is closed by now. */
function statOf(descriptor: number) {
  try {
    return fstatSync(descriptor)
  } catch {
    return undefined
  }
}

function moved(path: string): ServiceError {
  const message = `The store ${path} was moved or deleted while it was in use: put it back and start again.`
  return new ServiceError(message, { code: 'store_damaged' })
}
