// What doctor finds on a real PostgreSQL. What it finds wrong keeps a store from opening as well: the
// number is that of the list in docs/scaling.md.
import { expect, onTestFinished, test } from 'vitest'
import { checkStore } from '../../../src/admin/doctor/store.ts'
import { examineStore } from '../../../src/app/stores.ts'
import type { PostgresLocation } from '../../../src/core/store-place.ts'
import { createAuthority, hasOpenssl } from '../../support/network/certificates.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { encrypt, set } from '../../support/postgres/postgres-settings.ts'
import { startStandby } from '../../support/postgres/postgres-standby.ts'
import { openShared } from '../../support/postgres/postgres-store.ts'

const server = postgresForFile()

/** The finding in one line. */
async function found(location: PostgresLocation): Promise<string> {
  const open = () => Promise.reject(new TypeError('not a file'))
  const deps = { open, examine: examineStore, elapsed: () => 0 }
  const { result, detail, next } = await checkStore({ kind: 'postgres', location }, deps)
  return `${result}: ${detail} -> ${next}`
}

/** That doctor has a problem with it, and that no store opens there. */
async function expectProblem(location: PostgresLocation, sentence: string): Promise<void> {
  expect(await found(location)).toMatch(new RegExp(`^problem: .*${sentence}`))
  await expect(openShared(location)).rejects.toThrow(new RegExp(sentence))
}

async function ready(parts: Partial<PostgresLocation> = {}): Promise<PostgresLocation> {
  const location = server().newLocation(parts)
  await (await openShared(location)).close()
  return location
}

test('all is well: what a commit takes is measured, and what it is worth said', async () => {
  expect(await found(await ready())).toMatch(
    /^ok: takes appends; PostgreSQL 17\.\d+, not encrypted; a commit takes (?!0\.0 )\d+\.\d ms; the server names no standby, so a failover may lose the last moments -> null$/,
  )
  expect(await found(await ready({ durability: 'primary' }))).toMatch(
    /^ok: .*a commit is on the disk of the primary alone: a failover may lose the last moments/,
  )
})

test('a schema that is not there: it can be made, or not, and is not made', async () => {
  const location = server().newLocation()
  expect(await found(location)).toMatch(/^ok: can be used, and the service makes its schema at its/)
  const made = `select from pg_namespace where nspname = '${location.schema}'`
  expect(await server().query(made)).toEqual([])
  await server().query('create role poor login')
  expect(await found({ ...location, user: 'poor' })).toMatch(
    /^problem: .*lets this role make no schema: grant it "create" on the database/,
  )
  const others = await ready()
  expect(await found({ ...others, user: 'poor' })).toMatch(/^problem: .*too few rights/)
  await server().query(`grant usage on schema ${others.schema} to poor`)
  await server().query(`grant all on all tables in schema ${others.schema} to poor`)
  expect(await found({ ...others, user: 'poor' })).toMatch(/^problem: .*this role does not own/)
})

test('14: another isolation, a later release, fsync = off, a standby', async () => {
  const location = await ready()
  await server().query('create role serial login in role snaphook')
  await server().query(`alter role serial set default_transaction_isolation = 'serializable'`)
  await expectProblem({ ...location, user: 'serial' }, 'default isolation "serializable"')

  const newer = await ready()
  await server().query(
    `insert into ${newer.schema}.meta (owner, version) values ('snaphook', 2000)`,
  )
  await expectProblem(newer, 'is of version 2.0, and this release knows up to 1.')

  await set(server(), { fsync: 'off' })
  onTestFinished(() => set(server(), { fsync: null }))
  await expectProblem(location, 'runs with fsync or full_page_writes off')
  await set(server(), { fsync: null })

  const standby = await startStandby(server(), { name: 'standby1' })
  onTestFinished(() => standby.remove())
  await expectProblem({ ...location, port: standby.port }, 'is a standby, or a read-only endpoint')

  await set(server(), { synchronous_standby_names: 'standby1' })
  onTestFinished(() => set(server(), { synchronous_standby_names: null }))
  expect(await found(location)).toMatch(/^ok: .*a commit waits for the standby \(standby1\)/)
  await standby.stop('fast')
  expect(await found(location)).toMatch(
    /^problem: .*waits for a standby that does not confirm \(standby1\): bring it back, or/,
  )
})

test.runIf(hasOpenssl)('encrypted, to whom or not', async () => {
  const location = await ready()
  const { issue, remove, files } = createAuthority()
  onTestFinished(remove)
  await encrypt(server(), issue('localhost'))
  const verified = { sslMode: 'verify-full', sslRootCert: files.ca } as const
  expect(await found({ ...location, ...verified, host: 'localhost' })).toMatch(
    /^ok: .*, encrypted;/,
  )
  expect(await found({ ...location, sslMode: 'require' })).toMatch(
    /^warning: .* but to whom is not checked;.* -> set sslmode=verify-full and sslrootcert$/,
  )
  expect(await found({ ...location, ...verified })).toMatch(/^problem: .*does not fit/)
})
