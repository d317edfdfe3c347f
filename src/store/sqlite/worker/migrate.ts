// Brings the schema up to date: numbered scripts, forward only. The number of the last one is kept
// as `user_version`, major * 1000 + minor. Within a major, scripts only add, so an image that was
// rolled back works with the schema of a later minor; the schema of a later major is refused.
import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { ServiceError } from '../../../errors.ts'
import { unavailable } from '../faults.ts'

/** Minors per major, in `user_version` and in the names of the scripts. */
const MAJOR = 1000
/** Marks the file as ours, so that another program's database is left alone: "snap" in ASCII. */
const APPLICATION_ID = 0x736e6170

export type Migration = { readonly version: number; readonly script: string }

export const MIGRATIONS: readonly Migration[] = readMigrations(
  new URL('../migrations/', import.meta.url),
)

function readMigrations(folder: URL): Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      version: Number.parseInt(name, 10),
      script: readFileSync(new URL(name, folder), 'utf8'),
    }))
}

/** Runs the scripts that the store at `path` has not seen, all of them in one transaction. */
export function migrate(
  db: DatabaseSync,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  if (pending(db, path, migrations).length === 0) return
  db.exec('begin immediate')
  try {
    // Asked again under the lock: somebody else may have been faster.
    for (const { version, script } of pending(db, path, migrations)) {
      db.exec(script)
      db.exec(`pragma user_version = ${version}`)
    }
    db.exec(`pragma application_id = ${APPLICATION_ID}`)
    db.exec('commit')
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

/** Refuses a store that can't be read as it is, for those who must not change it. */
export function checkSchema(
  db: DatabaseSync,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  if (pending(db, path, migrations).length === 0) return
  throw unavailable(path, 'is of an earlier version: start the service once to bring it up to date')
}

function pending(
  db: DatabaseSync,
  path: string,
  migrations: readonly Migration[],
): readonly Migration[] {
  // One statement, so that all it tells is of one moment: somebody else may be making the store.
  const { version, owner, tables } = db
    .prepare(`
      select user_version as version, application_id as owner,
        (select count(*) from sqlite_schema) as tables
      from pragma_user_version, pragma_application_id
    `)
    .get() as { version: number; owner: number; tables: number }
  if (owner !== APPLICATION_ID && (version !== 0 || tables !== 0)) {
    throw unavailable(path, 'belongs to another program: name another file')
  }
  const newest = migrations.at(-1)?.version ?? 0
  if (majorOf(version) > majorOf(newest)) throw newerFault(path, version, newest)
  return migrations.filter((migration) => migration.version > version)
}

function newerFault(path: string, version: number, newest: number): ServiceError {
  const sentence =
    `The store ${path} is of version ${shown(version)}, and this release knows up to ` +
    `${shown(newest)}: run the later release again, or start with another store.`
  return new ServiceError(sentence, { code: 'store_newer' })
}

function majorOf(version: number): number {
  return Math.trunc(version / MAJOR)
}

function shown(version: number): string {
  return `${majorOf(version)}.${version % MAJOR}`
}
