import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Migration } from '../../../../src/store/schema-versions.ts'
import { checkSchema, MIGRATIONS, migrate } from '../../../../src/store/sqlite/worker/migrate.ts'
import { temporaryFolder } from '../../../support/store/store-fixtures.ts'

const PATH = 'data/snaphook.db'
const FIRST: Migration = { version: 1000, script: 'create table first (a any) strict' }
const MINOR: Migration = { version: 1001, script: 'create table minor (a any) strict' }
const MAJOR: Migration = { version: 2000, script: 'create table major (a any) strict' }

function newDatabase(path = ':memory:'): DatabaseSync {
  const db = new DatabaseSync(path)
  onTestFinished(() => db.close())
  return db
}

function tablesOf(db: DatabaseSync): unknown[] {
  return db
    .prepare("select name from sqlite_schema where type = 'table' order by rowid")
    .all()
    .map(({ name }) => name)
}

function versionOf(db: DatabaseSync): unknown {
  return db.prepare('pragma user_version').get()?.user_version
}

describe('migrate', () => {
  it('has scripts with numbers that rise', () => {
    const versions = MIGRATIONS.map(({ version }) => version)
    expect(versions[0]).toBe(1000)
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
  })

  it('makes the schema, once', () => {
    const db = newDatabase()
    migrate(db, PATH)
    expect(tablesOf(db)).toContain('events')
    expect(versionOf(db)).toBe(MIGRATIONS.at(-1)?.version)
    migrate(db, PATH)
    checkSchema(db, PATH)
  })

  it('runs only the scripts that the store has not seen', () => {
    const db = newDatabase()
    migrate(db, PATH, [FIRST])
    migrate(db, PATH, [FIRST, MINOR, MAJOR])
    expect(tablesOf(db)).toEqual(['first', 'minor', 'major'])
    expect(versionOf(db)).toBe(2000)
  })

  it('leaves everything as it was where a script fails', () => {
    const db = newDatabase()
    migrate(db, PATH, [FIRST])
    const broken = { version: 1002, script: 'create table oops (a nonsense) strict' }
    expect(() => migrate(db, PATH, [FIRST, MINOR, broken])).toThrow()
    expect(tablesOf(db)).toEqual(['first'])
    expect(versionOf(db)).toBe(1000)
    expect(db.isTransaction).toBe(false)
  })

  it('works with a store of a later minor', () => {
    const db = newDatabase()
    migrate(db, PATH, [FIRST, MINOR])
    migrate(db, PATH, [FIRST])
    checkSchema(db, PATH, [FIRST])
    expect(versionOf(db)).toBe(1001)
  })

  it('refuses a store of a later major, and says what to do', () => {
    const db = newDatabase()
    migrate(db, PATH, [FIRST, MINOR, MAJOR])
    expect(() => migrate(db, PATH, [FIRST, MINOR])).toThrowError(
      expect.objectContaining({
        code: 'store_newer',
        message:
          'The store data/snaphook.db is of version 2.0, and this release knows up to 1.1: ' +
          'run the later release again, or start with another store.',
      }),
    )
  })

  it('leaves the database of another program alone', () => {
    const db = newDatabase()
    db.exec('create table accounts (a any) strict')
    expect(() => migrate(db, PATH)).toThrowError(
      expect.objectContaining({ code: 'store_unavailable' }),
    )
    expect(tablesOf(db)).toEqual(['accounts'])
  })

  it('finds under the lock that somebody else was faster', () => {
    const path = join(temporaryFolder(), 'snaphook.db')
    const [one, other] = [newDatabase(path), newDatabase(path)]
    let asked = 0
    const racing = new Proxy([FIRST], {
      get(migrations, name, receiver) {
        if (name === 'filter' && ++asked === 1) {
          return (keep: (migration: Migration) => boolean) => {
            const pending = migrations.filter(keep)
            migrate(other, path, [FIRST])
            return pending
          }
        }
        return Reflect.get(migrations, name, receiver)
      },
    })
    migrate(one, path, racing)
    expect(tablesOf(one)).toEqual(['first'])
  })
})

describe('checkSchema', () => {
  it('refuses a store of an earlier version', () => {
    const db = newDatabase()
    migrate(db, PATH, [FIRST])
    expect(() => checkSchema(db, PATH, [FIRST, MINOR])).toThrowError(
      expect.objectContaining({
        code: 'store_unavailable',
        message: expect.stringContaining('start the service once'),
      }),
    )
  })
})
