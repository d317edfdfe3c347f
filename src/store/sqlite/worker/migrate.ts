// Brings the schema up to date. The number of the last script is kept as `user_version`.
import type { DatabaseSync } from 'node:sqlite'
import { ServiceError } from '../../../errors.ts'
import { type Migration, migrationsAfter, readMigrations } from '../../schema-versions.ts'
import { unavailable } from '../faults.ts'

/** Marks the file as ours, so that another program's database is left alone: "snap" in ASCII. */
const APPLICATION_ID = 0x736e6170

export const MIGRATIONS = readMigrations(new URL('../migrations/', import.meta.url))

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
  const unseen = migrationsAfter(version, migrations)
  if (!('tooNew' in unseen)) return unseen
  const sentence = `The store ${path} ${unseen.tooNew}, or start with another store.`
  throw new ServiceError(sentence, { code: 'store_newer' })
}
