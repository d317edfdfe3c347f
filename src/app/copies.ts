// Opens the two stores of a copy. What serves on a file is told by its lock, which the copy holds; what
// serves on a PostgreSQL, by the replicas that it has seen.
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import type { StorePlace } from '../core/store-place.ts'
import { ServiceError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { CopySource, CopyTarget } from '../ports/copy.ts'
import { acquireLock } from '../store/sqlite/lock.ts'
import { openSqliteCopy } from '../store/sqlite/sqlite-copy.ts'

type Access = {
  /** Nobody may serve on it meanwhile. */
  readonly isAlone: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The store that is copied from; its streams are counted, and nothing else is changed in it. */
export async function openCopySource(place: StorePlace, access: Access): Promise<CopySource> {
  if (place.kind === 'postgres') return openShared(place, false)
  const { path } = place
  if (!existsSync(path)) {
    throw new ServiceError(`There is no store ${path}.`, { code: 'store_unavailable' })
  }
  return access.isAlone
    ? locked(path, access, () => openSqliteCopy({ path }))
    : openSqliteCopy({ path, readOnly: true })
}

/** The store that is copied into, made where it is missing. */
export function openCopyTarget(place: StorePlace, access: Access): Promise<CopyTarget> {
  if (place.kind === 'postgres') return openShared(place, true)
  const { path } = place
  return locked(path, access, () => openSqliteCopy({ path, isTarget: true }))
}

async function openShared(place: StorePlace & { kind: 'postgres' }, isTarget: boolean) {
  const { openPostgresCopy } = await import('../store/postgres/copy/postgres-copy.ts')
  return openPostgresCopy({ location: place.location, isTarget })
}

/** With the lock of the file, which goes when the store is closed. */
async function locked<S extends { close(): Promise<void> }>(
  path: string,
  { clock, signal }: Access,
  open: () => Promise<S>,
): Promise<S> {
  const holder = `copy-store, process ${process.pid} on ${hostname()}`
  const lock = await acquireLock(path, { holder, clock, signal, waitMs: 0 })
  try {
    const side = await open()
    return {
      ...side,
      async close() {
        await side.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}
