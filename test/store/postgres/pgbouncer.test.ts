// A PgBouncer in transaction mode in between: no statement may need a session of its own, and a
// connection may lead to another server than it did. The numbers are those of docs/scaling.md.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openPostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { storeContract } from '../../contract/store-contract.ts'
import { startTcpProxy } from '../../support/network/tcp-proxy.ts'
import { hasPgbouncer, startPgbouncer } from '../../support/postgres/pgbouncer.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { caughtUp, startStandby } from '../../support/postgres/postgres-standby.ts'
import { openShared } from '../../support/postgres/postgres-store.ts'
import { eventOf, SECRET } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

describe.runIf(hasPgbouncer())('through PgBouncer', () => {
  const server = postgresForFile()
  let port = 0
  let remove: (() => Promise<void>) | undefined
  beforeAll(async () => {
    const pooler = await startPgbouncer(server())
    port = pooler.port
    remove = pooler.remove
  })
  afterAll(() => remove?.())

  storeContract('15: postgres behind a pooler', () => {
    const location = server().newLocation({ port })
    return async (secrets = [SECRET]) => {
      const seals = createSeals(secrets)
      const store = await openPostgresStore({ location, seals, now: () => 1_700_000_000_000 })
      onTestFinished(() => store.close())
      return store
    }
  })

  it('13: a connection that leads to a standby by now keeps nothing, and comes back', async () => {
    const standby = await startStandby(server(), { name: 'standby1' })
    onTestFinished(() => standby.remove())
    const name = await startTcpProxy({ host: '127.0.0.1', port: server().port })
    onTestFinished(() => name.close())
    const pooler = await startPgbouncer(name)
    onTestFinished(pooler.remove)
    const changes: boolean[] = []
    const location = server().newLocation({ port: pooler.port })
    const store = await openShared(location, { onConnection: (is) => changes.push(is) })
    await store.append(eventOf(1))
    await caughtUp(server(), standby)

    // The pooler's connections to the primary end, those to us stay.
    name.lead({ host: '127.0.0.1', port: standby.port })
    name.cut()
    const settled = await Promise.allSettled([1, 2].map((n) => store.append(eventOf(n))))
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(changes).toEqual([true, false])
    await until('the refusal says why', () =>
      store.append(eventOf(2)).catch(({ message }: Error) => message.includes('is a standby, or')),
    )
    name.lead({ host: '127.0.0.1', port: server().port })
    name.cut()
    const kept = await until('it takes appends again', () =>
      store.append(eventOf(2)).catch(() => null),
    )
    expect(kept).toEqual({ seq: 2, duplicate: false })
  })
})
