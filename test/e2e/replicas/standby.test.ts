// A PostgreSQL with a standby: what an answer of 200 is worth, and what a failover may cost. The
// numbers are those of the list in docs/scaling.md.
import { expect, test } from 'vitest'
import { startTcpProxy } from '../../support/network/tcp-proxy.ts'
import { startPostgres } from '../../support/postgres/postgres-server.ts'
import { caughtUp, startStandby } from '../../support/postgres/postgres-standby.ts'
import { storeUrl } from '../../support/postgres/postgres-store.ts'
import { QUICK_LEASE_TIMES } from '../../support/postgres/quick-leases.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { nowSeconds, sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  type Running,
  readiness,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

/** A fifth of the real ones: nobody waits for six seconds. */
const leaseTimes = QUICK_LEASE_TIMES

test.concurrent('12: while the standby is away `standby` answers 503 and never 200, `primary` goes on', async ({
  onTestFinished,
}) => {
  const primary = await startPostgres()
  onTestFinished(() => primary.remove())
  const standby = await startStandby(primary, { name: 'standby1' })
  onTestFinished(() => standby.remove())
  await primary.query(`alter system set synchronous_standby_names = 'standby1'`)
  await primary.query('select pg_reload_conf()')
  await using stage = await setStage()
  const serve = (durability: 'standby' | 'primary') =>
    serveHere(
      stage,
      { SNAPHOOK_STORE: storeUrl(primary.newLocation({ durability })) },
      { leaseTimes },
    )
  await using waiting = await serve('standby')
  await using going = await serve('primary')
  for (const each of [waiting, going]) await settled(each)
  const send = senderOn(stage.front.url)
  expect([await send(waiting, 1), await send(going, 1)]).toEqual([200, 200])

  await standby.stop('fast')
  const begun = performance.now()
  const refused = [2, 3, 4].map((n) => send(waiting, n))
  // Somebody who ends the wait makes of it a commit that is on one disk: the server warns of it.
  const waiters = `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`
  await until('a wait was ended', async () => (await primary.query(waiters)).length > 0)
  expect(await Promise.all(refused)).toEqual([503, 503, 503])
  expect(performance.now() - begun).toBeLessThan(4_500)
  expect(await send(going, 2)).toBe(200)
  const shown = await Promise.all([waiting, going].map(readiness))
  expect(shown.map(({ status }) => status)).toEqual([503, 200])
  // Leases have run out meanwhile, but for those that were renewed.
  for (const { replicas } of shown) expect(replicas?.[0]?.owns).toContain('sink:stdout')
  const logs = [waiting, going].flatMap((each) => each.log())
  expect(logs.filter(({ msg }) => msg.startsWith('no longer'))).toEqual([])

  await standby.start()
  await until('it answers 200 again', async () => (await send(waiting, 2)) === 200)
  expect([await send(waiting, 3), await send(waiting, 4)]).toEqual([200, 200])
  await until('each was delivered', () => waiting.events().length >= 4)
  expect(waiting.events().map(({ data }) => data.seq)).toEqual([1, 2, 3, 4])
})

test.concurrent('11: after a failover that lost the last moments numbers jump, and all goes on', async ({
  onTestFinished,
}) => {
  const primary = await startPostgres()
  onTestFinished(() => primary.remove())
  const wire = await startTcpProxy({ host: '127.0.0.1', port: primary.port })
  onTestFinished(() => wire.close())
  const standby = await startStandby(primary, { name: 'standby1', via: wire.port })
  onTestFinished(() => standby.remove())
  // As a host name, which stays while the server behind it becomes another one.
  const name = await startTcpProxy({ host: '127.0.0.1', port: primary.port })
  onTestFinished(() => name.close())
  const location = primary.newLocation({ port: name.port })
  await using stage = await setStage()
  const send = senderOn(stage.front.url)
  await using service = await serveHere(
    stage,
    { SNAPHOOK_STORE: storeUrl(location) },
    { leaseTimes },
  )
  await settled(service)
  expect([await send(service, 1), await send(service, 2)]).toEqual([200, 200])
  await until('both are delivered', () => seqsOf(service).length === 2)
  await caughtUp(primary, standby)

  wire.swallow(true)
  expect([await send(service, 3), await send(service, 4)]).toEqual([200, 200])
  await until('all are delivered', () => seqsOf(service).length === 4)
  await primary.stop('immediate')
  name.lead({ host: '127.0.0.1', port: standby.port })
  name.cut()
  await standby.query('select pg_promote()')

  const reports = () => service.log().filter(({ msg }) => msg.startsWith('the database has failed'))
  await until('the failover is reported', async () => {
    await readiness(service)
    return reports().length > 0
  })
  const { sinks } = await readiness(service)
  expect(sinks[0]).toMatchObject({ lag: 0 })
  expect([await send(service, 5), await send(service, 6)]).toEqual([200, 200])
  await until('what comes now is delivered', () => seqsOf(service).length === 6)
  const jump = 2 ** 20
  expect(seqsOf(service)).toEqual([1, 2, 3, 4, jump + 3, jump + 4])
  expect(await standby.query(`select from ${location.schema}.events`)).toHaveLength(4)
  const [{ seq } = {}] = await standby.query(`select seq from ${location.schema}.cursors`)
  expect(Number(seq)).toBeLessThanOrEqual(jump + 4)
  expect(reports()).toMatchObject([{ level: 'error', timeline: '00000002' }])
  const metrics = await metricsOf(service)
  expect(metrics.value('snaphook_store_failovers_total')).toBe(1)
})

const seqsOf = (service: Running) => service.events().map(({ data }) => data.seq)

/** Sends the nth callback to one service. Returns the status of its answer. */
function senderOn(publicUrl: string) {
  const signedHost = new URL(publicUrl).hostname
  const timestamp = nowSeconds()
  return async ({ callbacks }: Running, n: number): Promise<number> => {
    const url = `${callbacks}/callbacks/${DOMAIN}`
    const callback = { key: keyOf(0), signedHost, timestamp, body: `{"n":${n}}` }
    return (await sendCallback(url, callback)).status
  }
}
