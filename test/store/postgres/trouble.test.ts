// What becomes of an open store when its server takes no writes, lets nobody in, or is held up, and
// that it comes back by itself. The numbers are those of the list in docs/scaling.md.
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { createAuthority, hasOpenssl } from '../../support/network/certificates.ts'
import { startTcpProxy } from '../../support/network/tcp-proxy.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { encrypt, letIn, set } from '../../support/postgres/postgres-settings.ts'
import { openShared } from '../../support/postgres/postgres-store.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

const server = postgresForFile()

const endSessionsOf = (role: string) =>
  server().query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
    role,
  ])

const appends = (store: PostgresStore, n: number) =>
  until('it takes appends again', () => store.append(eventOf(n)).catch(() => null))

/** Waits until appends are refused for this reason. */
const refusesFor = (store: PostgresStore, n: number, reason: RegExp) =>
  until(`a refusal that says ${reason}`, () =>
    store.append(eventOf(n)).then(
      () => false,
      ({ message }: Error) => reason.test(message),
    ),
  )

it('a server that is switched to read-only keeps nothing, can be read, and is not flooded', async () => {
  const changes: boolean[] = []
  const store = await openShared(server().newLocation(), {
    onConnection: (isConnected) => changes.push(isConnected),
  })
  await store.append(eventOf(1))
  await set(server(), { default_transaction_read_only: 'on' })
  onTestFinished(() => set(server(), { default_transaction_read_only: null }))
  await refusesFor(store, 2, /takes no writes: see whether its disk is full/)
  await expect(store.checkWritable()).rejects.toThrow('takes no writes')
  expect(changes).toEqual([true, false])
  expect(await store.read(0, 10)).toHaveLength(1)
  await set(server(), { default_transaction_read_only: null })
  expect(await appends(store, 2)).toEqual({ seq: 2, duplicate: false })
})

it('21: under a snapshot that is held for long, as by a backup, an append costs what it did', async () => {
  await server().query('create database flat owner snaphook')
  const location = server().newLocation({ database: 'flat' })
  await (await openShared(location)).close()
  const backup = new pg.Client({ ...location, ssl: false, password: '' })
  await backup.connect()
  onTestFinished(() => backup.end())
  await backup.query('begin isolation level repeatable read')
  await backup.query('select from pg_class')
  let appended = 0
  /** Pages that the server looked at for one of so many appends, the opening of a store included. */
  async function pagesPerAppend(count: number): Promise<number> {
    const statement = `select blks_hit::float8 as pages from pg_stat_database where datname = 'flat'`
    const before = (await server().query(statement))[0]?.pages
    const store = await openShared(location)
    for (const _ of range(count)) {
      // Many a second: what is written once a second is not what is measured here.
      await store.append(eventOf(appended, { receivedAt: 1_700_000_000_000 + appended++ }))
    }
    await store.close()
    // A session tells what it has done when it ends.
    const isOver = `select from pg_stat_activity where datname = 'flat' and application_name like 'snaphook %'`
    await until('its sessions end', async () => (await server().query(isOver)).length === 0)
    return (Number((await server().query(statement))[0]?.pages) - Number(before)) / count
  }
  const first = await pagesPerAppend(300)
  await pagesPerAppend(2_400)
  expect(await pagesPerAppend(300)).toBeLessThan(1.3 * first)
})

it.runIf(hasOpenssl)('27: a certificate that has expired, until there is another', async () => {
  const { issue, remove, files } = createAuthority()
  onTestFinished(remove)
  await encrypt(server(), issue('localhost'))
  const trusted = { host: 'localhost', sslMode: 'verify-full', sslRootCert: files.ca } as const
  await server().query('create role certain login')
  await server().query('grant create on database snaphook to certain')
  const store = await openShared(server().newLocation({ ...trusted, user: 'certain' }))
  await store.append(eventOf(1))
  await encrypt(server(), issue('localhost', 0))
  await endSessionsOf('certain')
  await refusesFor(store, 2, /a certificate that does not fit \(certificate has expired\)/)
  await encrypt(server(), issue('localhost'))
  expect(await appends(store, 2)).toEqual({ seq: 2, duplicate: false })
})

describe.concurrent('an open store', () => {
  it('27: a password that is changed, and changed back', async ({ onTestFinished: end }) => {
    await server().query(`create role changed login password 'first'`)
    await server().query('grant create on database snaphook to changed')
    const store = await openShared(
      server().newLocation({ user: 'changed', password: 'first' }),
      {},
      end,
    )
    await store.append(eventOf(1))
    end(await letIn(server(), ['host all changed all scram-sha-256']))
    await server().query(`alter role changed password 'second'`)
    await endSessionsOf('changed')
    await refusesFor(store, 2, /refuses the password of this role: correct SNAPHOOK_STORE/)
    await server().query(`alter role changed password 'first'`)
    expect(await appends(store, 2)).toEqual({ seq: 2, duplicate: false })
  })

  it('27: no connections left', async ({ onTestFinished: end }) => {
    await server().query(`create role many login`)
    await server().query('grant create on database snaphook to many')
    const store = await openShared(server().newLocation({ user: 'many' }), {}, end)
    await store.append(eventOf(1))
    await server().query('alter role many connection limit 0')
    await endSessionsOf('many')
    await refusesFor(store, 2, /has no connection left: raise its limit, or run fewer replicas/)
    await server().query('alter role many connection limit -1')
    expect(await appends(store, 2)).toEqual({ seq: 2, duplicate: false })
  })

  it('9: what is asked of a server that hangs is answered in time, also behind what waits long', async ({
    onTestFinished: end,
  }) => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: server().port })
    end(() => proxy.close())
    const store = await openShared(server().newLocation({ port: proxy.port }), {}, end)
    await store.stats()
    proxy.swallow(true)
    const page = store.read(0, 10).catch(() => 'late')
    const start = performance.now()
    await expect(store.stats()).rejects.toMatchObject({ name: 'ServiceError' })
    expect(performance.now() - start).toBeLessThan(2_000)
    proxy.swallow(false)
    proxy.cut()
    await page
  })
})
