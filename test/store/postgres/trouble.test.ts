// What becomes of an open store when its server takes no writes, lets nobody in, or is held up, and
// that it comes back by itself. The numbers are those of the list in docs/scaling.md.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { postgresForFile } from '../../support/postgres-server.ts'
import { letIn, set } from '../../support/postgres-settings.ts'
import { openShared } from '../../support/postgres-store.ts'
import { eventOf } from '../../support/store-events.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
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
