// The audit of replicas that share one log: one of them does it. It is killed while callbacks get lost,
// another goes on from where it was, and each shot is in the log once.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { DOMAIN, listening, readiness, setStage, settled } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const MAIN = fileURLToPath(new URL('../../support/audit/audit-main.ts', import.meta.url))
const STREAMS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const INTERVAL_MS = 2_000
/**
 * One in so many is lost, by turns: few enough for an audit that is sure, and no multiple of the streams, or
 * one stream would lose all of them.
 */
const LOST = 2 * STREAMS.length + 1
const SHOTS = 8 * STREAMS.length

const server = postgresForFile()

test('the one that audits is killed: another goes on, nothing is missing and nothing twice', {
  timeout: 120_000,
}, async () => {
  const { host, port, user, database, schema } = server().newLocation()
  const SNAPHOOK_STORE = `postgres://${user}@${host}:${port}/${database}?schema=${schema}&sslmode=disable`
  let turn = 0
  // A callback is lost where this is below the share.
  const random = () => (++turn % LOST === 0 ? 0 : 0.99)
  await using stage = await setStage({ switches: { lose_callbacks: 0.5 }, random })
  const services = await Promise.all(
    ['one', 'other']
      .map(() => stage.run([], { SNAPHOOK_STORE, SNAPHOOK_AUDIT_INTERVAL: '1s' }, { main: MAIN }))
      .map(listening),
  )
  stage.front.lead(...services.map(({ callbacks }) => callbacks))
  for (const service of services) await settled(service)
  for (const stream of STREAMS) {
    stage.emulator.startPush({ domain: DOMAIN, app: 'live', stream }, INTERVAL_MS)
  }
  const log = async () =>
    server().query(
      `select origin, convert_from(body, 'utf8')::json ->> 'OssObject' as object from "${schema}".events`,
    )
  const found = async () => (await log()).filter(({ origin }) => origin === 'audit').length
  await until('a first one to be found', async () => (await found()) > 0, 60_000)

  const tasks = await Promise.all(services.map(async (each) => (await owned(each)).join()))
  const [owner, other] = /audit/.test(tasks[0] ?? '') ? services : services.toReversed()
  if (owner === undefined || other === undefined) throw new TypeError('two replicas')
  stage.front.lead(other.callbacks)
  owner.kill('SIGKILL')
  await owner.ended
  const before = await found()
  await until(
    'the other one to audit',
    async () => /audit/.test((await owned(other)).join()),
    20_000,
  )
  await until('enough shots', async () => (await log()).length >= SHOTS, 60_000)
  const taken = STREAMS.flatMap((stream) =>
    (stage.emulator.shotsOf({ domain: DOMAIN, app: 'live', stream }) ?? [])
      .filter(({ isOverlay }) => !isOverlay)
      .map(({ object }) => object),
  )
  // Streams go on meanwhile: few shots say too little for an audit that is sure.
  const objects = async () => (await log()).map(({ object }) => String(object))
  await until(
    'all shots to be there',
    async () => {
      const there = new Set(await objects())
      return taken.every((object) => there.has(object))
    },
    60_000,
  )
  const kept = await objects()
  expect(new Set(kept).size).toBe(kept.length)
  expect(await found()).toBeGreaterThan(before)
  expect((await readiness(other)).audits).toMatchObject([{ state: 'ok', gaps: [] }])

  /** What a replica owns, as its own log has it. */
  async function owned(service: (typeof services)[number]): Promise<string[]> {
    const own = service.log().filter(({ msg }) => msg === 'owner of a task from now on')
    return own.map(({ task }) => String(task))
  }
})
