// Replicas that share one log on PostgreSQL: real processes, a real server. The numbers are those of
// the list in docs/scaling.md.
import { expect, test } from 'vitest'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import { readEvents } from '../../support/service/sse-reader.ts'
import {
  DOMAIN,
  keyOf,
  readiness,
  type Serving,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

/** As RDS comes. */
const server = postgresForFile({ synchronous_commit: 'off' })

function sharedStore(): string {
  const { host, port, user, database, schema } = server().newLocation()
  return `postgres://${user}@${host}:${port}/${database}?schema=${schema}&sslmode=disable`
}

async function setShared(count: number) {
  const stage = await setStage()
  const SNAPHOOK_STORE = sharedStore()
  const replicas: Serving[] = []
  for (let n = 0; n < count; n += 1) {
    const replica = await stage.serve({ SNAPHOOK_STORE })
    await settled(replica)
    replicas.push(replica)
  }
  const signedHost = new URL(stage.front.url).hostname
  let sent = 0
  return {
    stage,
    SNAPHOOK_STORE,
    replicas,
    /** One callback, past the public URL, to one replica. Returns its status. */
    async send({ callbacks }: Serving, n = ++sent) {
      const url = `${callbacks}/callbacks/${DOMAIN}`
      return (await sendCallback(url, { key: keyOf(0), signedHost, body: `{"n":${n}}` })).status
    },
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]()
    },
  }
}

/** How far the store has the sink. */
async function cursorIn(store: string): Promise<number> {
  const schema = new URL(store).searchParams.get('schema')
  const [row] = await server().query(`select max(seq)::int as seq from ${schema}.cursors`)
  return Number(row?.seq)
}

const seqsOf = (replica: Serving) => replica.events().map(({ data }) => data.seq)
/** Who delivers to the sink: the one that has printed last. */
async function ownerAmong(replicas: readonly Serving[], send: (to: Serving) => Promise<number>) {
  const before = replicas.map((replica) => replica.events().length)
  await send(replicas[0] as Serving)
  return until('an owner delivers', () =>
    replicas.find((replica, n) => replica.events().length > (before[n] as number)),
  )
}

test('a second replica takes part: either receives, one delivers, both show both', async () => {
  await using it = await setShared(2)
  const [one, other] = it.replicas as [Serving, Serving]
  expect([await it.send(one), await it.send(other)]).toEqual([200, 200])
  await until('both are delivered', () => seqsOf(one).length + seqsOf(other).length === 2)
  const tasks = ['audit', 'janitor', 'registrar', 'sink:stdout', 'streams']
  const shown = await until('both are seen, and each task has an owner', async () => {
    const { replicas = [], sinks } = await readiness(other)
    const owned = replicas.flatMap(({ owns }) => owns).toSorted()
    return replicas.length === 2 && owned.join() === tasks.join() && sinks[0]?.lag === 0 && sinks
  })
  expect(shown[0]).toMatchObject({ name: 'stdout', state: 'ok' })
  expect(it.stage.calls('Add')).toBe(1)
})

test('1: an owner that is stopped is taken over within 10 s, and on waking does no harm', async () => {
  await using it = await setShared(2)
  const owner = await ownerAmong(it.replicas, it.send)
  const other = it.replicas.find((replica) => replica !== owner) as Serving
  owner.kill('SIGSTOP')
  const stoppedAt = performance.now()
  for (let n = 0; n < 5; n += 1) expect(await it.send(other)).toBe(200)
  const cursors: number[] = []
  const noteCursor = async () => cursors.push(await cursorIn(it.SNAPHOOK_STORE))
  await until('the other one delivers', async () => {
    await noteCursor()
    return seqsOf(other).length > 0
  })
  expect(performance.now() - stoppedAt).toBeLessThan(10_000)
  await until('all of them', () => seqsOf(other).includes(6))
  owner.kill('SIGCONT')
  await until('the stopped one learns of it', () =>
    owner.log().some(({ msg }) => msg.startsWith('no longer the owner')),
  )
  for (let n = 0; n < 5; n += 1) {
    expect(await it.send(owner)).toBe(200)
    await noteCursor()
  }
  await until('what comes now is delivered', () => seqsOf(other).includes(11))
  await until('the cursor is there', async () => (await noteCursor()) > 0 && cursors.at(-1) === 11)
  expect(cursors).toEqual(cursors.toSorted((a, b) => a - b))
  const said = (replica: Serving) =>
    replica.log().flatMap(({ msg, task }) => (task === 'sink:stdout' ? [msg] : []))
  expect(said(other)).toEqual(['owner of a task from now on'])
  expect(said(owner)).toEqual([
    'owner of a task from now on',
    'no longer the owner of a task: another replica may take it over',
  ])
  expect(seqsOf(other)).toEqual(seqsOf(other).toSorted((a, b) => a - b))
  expect(new Set([...seqsOf(owner), ...seqsOf(other)]).size).toBe(11)
  expect(seqsOf(owner).length + seqsOf(other).length).toBeLessThanOrEqual(12)
})

test('6, 28: a replica that is killed is taken over within 10 s, one that stops within 2 s', async () => {
  await using it = await setShared(3)
  let replicas = it.replicas
  const killed = await ownerAmong(replicas, it.send)
  killed.kill('SIGKILL')
  let at = performance.now()
  replicas = replicas.filter((replica) => replica !== killed)
  const second = await ownerAmong(replicas, it.send)
  expect(performance.now() - at).toBeLessThan(10_000)
  second.kill('SIGTERM')
  await second.ended
  at = performance.now()
  replicas = replicas.filter((replica) => replica !== second)
  const third = await ownerAmong(replicas, it.send)
  expect(performance.now() - at).toBeLessThan(2_500)
  const delivered = [...seqsOf(killed), ...seqsOf(second), ...seqsOf(third)]
  expect([...new Set(delivered)]).toEqual([1, 2, 3])
  // What was delivered right before the kill may come again: its cursor was not written yet.
  expect(delivered.length).toBeLessThanOrEqual(4)
})

test('live events show at every replica, whoever took them and whatever it owns', async () => {
  await using it = await setShared(2)
  const owner = await ownerAmong(it.replicas, it.send)
  const other = it.replicas.find((replica) => replica !== owner) as Serving
  await using live = await readEvents({ url: other.ops }, '')
  for (let n = 1; n <= 3; n += 1) {
    expect(await it.send(owner)).toBe(200)
    await until('what the other one took', () => live.events.length === n, 5_000)
  }
  expect(live.events.map(({ data }) => JSON.parse(data ?? '').data.seq)).toEqual([2, 3, 4])
})

test('24: a key set by hand is learnt through any replica, with one look', async () => {
  await using it = await setShared(2)
  const by = it.replicas.map(async (replica) => {
    const { replicas = [] } = await readiness(replica)
    return replicas.find(({ owns }) => owns.includes('registrar'))
  })
  const registrar = (await Promise.all(by))[0]
  const key = 'SetByHand0123456789abcdef'
  await it.stage.call('UpdateLiveSnapshotNotifyConfig', {
    DomainName: DOMAIN,
    NotifyUrl: it.stage.callbackUrl(),
    NotifyReqAuth: 'yes',
    NotifyAuthKey: key,
  })
  const stranger = it.replicas.find(({ pid }) => !registrar?.name.endsWith(` ${pid}`)) as Serving
  const url = `${stranger.callbacks}/callbacks/${DOMAIN}`
  const signedHost = new URL(it.stage.front.url).hostname
  const before = it.stage.calls('Describe')
  expect((await sendCallback(url, { key, signedHost })).status).toBe(200)
  expect(it.stage.calls('Describe') - before).toBeLessThanOrEqual(2)
})

test('14: what can not be used as a store is refused in one sentence', async () => {
  await using stage = await setStage()
  const url = new URL(sharedStore())
  const refusal = async (store: string, settings = {}) => {
    const { code, stderr } = await stage.finish(['serve'], { SNAPHOOK_STORE: store, ...settings })
    return `${code} ${stderr.trim()}`
  }
  await server().query('create schema stranger authorization snaphook')
  await server().query('create table stranger.theirs (n int)')
  const stranger = new URL(url)
  stranger.searchParams.set('schema', 'stranger')
  expect(await refusal(stranger.href)).toMatch(/^1 .*schema of another program: name another one/)
  await server().query(`create role serial login`)
  await server().query(`alter role serial set default_transaction_isolation = 'serializable'`)
  const serial = new URL(url)
  serial.username = 'serial'
  expect(await refusal(serial.href)).toMatch(/^1 .*default isolation "serializable"/)
  const gone = new URL(url)
  gone.pathname = '/nowhere'
  expect(await refusal(gone.href)).toMatch(/^1 .*does not exist: make the database/)
  expect(await refusal(url.href, { SNAPHOOK_SECRET: '' })).toMatch(
    /^78 (.|\n)*SNAPHOOK_SECRET is req/,
  )
  const encrypted = new URL(url)
  encrypted.searchParams.delete('sslmode')
  expect(await refusal(encrypted.href)).toMatch(/^1 .*has no TLS: switch it on/)
})
