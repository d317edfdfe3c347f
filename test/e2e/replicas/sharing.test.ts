// What operators see of replicas on one PostgreSQL: through any of them, and without any.
import { expect, test } from 'vitest'
import type { StoreStatus } from '../../../src/admin/status.ts'
import { VERSION } from '../../../src/app/version.ts'
import { runCli } from '../../../src/cli/cli.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { storeUrl } from '../../support/postgres/postgres-store.ts'
import { QUICK_LEASE_TIMES } from '../../support/postgres/quick-leases.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  type Running,
  readiness,
  type Settings,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { testShell } from '../../support/service/test-shell.ts'
import { until } from '../../support/until.ts'

const server = postgresForFile()
/** A fifth of the real ones. */
const leaseTimes = QUICK_LEASE_TIMES
const TASKS = ['audit', 'janitor', 'registrar', 'sink:hook', 'streams']

const labels = { domain: DOMAIN }
/** What a replica says of the registration, the sink and the audit in its metrics. */
async function shownBy(replica: Running) {
  const metrics = await metricsOf(replica)
  const one = (name: string, of: Record<string, string>) => metrics.value(name, of)
  return {
    registered: one('snaphook_registration_state', { ...labels, state: 'in_sync' }),
    pending: one('snaphook_registration_state', { ...labels, state: 'pending' }),
    generation: one('snaphook_notify_key_generation', labels),
    failing: one('snaphook_sink_state', { sink: 'hook', state: 'failing' }),
    auditedUntil: one('snaphook_audited_until_timestamp_seconds', labels),
  }
}

test('every replica shows what the owners found, status and readyz the server, replicas and owners', async () => {
  const location = server().newLocation({ durability: 'primary' })
  await using stage = await setStage()
  const settings = {
    SNAPHOOK_STORE: storeUrl(location),
    SNAPHOOK_SINKS: 'hook=http://127.0.0.1:2/',
    SNAPHOOK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'x').toString('base64')}`,
  }
  const serve = () => serveHere(stage, settings, { leaseTimes, audit: { firstAfterMs: 0 } })
  await using one = await serve()
  await settled(one)
  await using other = await serve()
  await settled(other)
  const sent = await sendCallback(`${other.callbacks}/callbacks/${DOMAIN}`, {
    key: keyOf(0),
    signedHost: new URL(stage.front.url).hostname,
  })
  expect(sent.status).toBe(200)

  for (const replica of [one, other]) {
    await until('it shows what the owners found', async () => {
      const { auditedUntil, ...shown } = await shownBy(replica)
      const expected = { registered: 1, pending: 0, generation: 0, failing: 1 }
      return JSON.stringify(shown) === JSON.stringify(expected) && (auditedUntil ?? 0) > 0
    })
    const { database, replicas = [], sinks } = await readiness(replica)
    expect(database).toEqual({ durability: 'primary', timeline: '00000001' })
    expect(replicas.flatMap(({ owns }) => owns).toSorted()).toEqual(TASKS)
    expect(sinks[0]).toMatchObject({ lag: 1, state: 'failing' })
  }

  const beside = await status(stage, settings)
  expect(beside.sharing).toMatchObject({
    ...{ durability: 'primary', hasStandby: false, timeline: '00000001', failovers: 0 },
    ...{ partitions: 1, goneUpTo: 0, unowned: [] },
  })
  expect(beside.sharing?.usedBytes).toBeGreaterThan(350)
  expect(beside.sharing?.bytesOnDisk).toBeGreaterThan(beside.sharing?.usedBytes as number)
  const { replicas = [] } = beside.sharing ?? {}
  expect(replicas.map(({ version }) => version)).toEqual([VERSION, VERSION])
  expect(replicas.flatMap(({ owns }) => owns).toSorted()).toEqual(TASKS)
  expect(beside.sinks).toMatchObject([{ name: 'hook', lag: 1 }])
})

test('status needs no replica, and names tasks that nobody owns', async () => {
  const location = server().newLocation()
  await using stage = await setStage()
  const settings = { SNAPHOOK_STORE: storeUrl(location) }
  {
    await using alone = await serveHere(stage, settings, { leaseTimes })
    await settled(alone)
    await until('each task has its owner', async () => {
      return (await readiness(alone)).replicas?.[0]?.owns.length === TASKS.length
    })
  }
  const it = testShell({ ...stage.settings, ...settings })
  expect(await runCli(['status'], it.shell)).toBe(0)
  const shown = it.printed()
  expect(shown).toContain(
    'server   durability standby, the server names no standby; timeline 00000001',
  )
  expect(shown).toMatch(
    /^log {6}0\.0 MB of events and dead letters; 1 partitions, \d\.\d MB on disk$/m,
  )
  expect(shown).toContain('no owner audit, janitor, registrar, sink:stdout, streams')
  expect(shown).toMatch(/^REPLICA +VERSION +SINCE +SEEN +OWNS$/m)
})

async function status(stage: Stage, settings: Settings): Promise<StoreStatus> {
  const it = testShell({ ...stage.settings, ...settings })
  expect(await runCli(['status', '--json'], it.shell)).toBe(0)
  return JSON.parse(it.printed()).store
}
