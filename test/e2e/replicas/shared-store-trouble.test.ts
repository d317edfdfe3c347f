// Services on a shared store in trouble: an owner that is paused while a sink has its request, a login
// that does not fit any more. The numbers are those of the list in docs/scaling.md.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { letIn } from '../../support/postgres/postgres-settings.ts'
import { openShared, storeUrl } from '../../support/postgres/postgres-store.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { nowSeconds, sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  listening,
  metricsOf,
  readiness,
  type Serving,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

const server = postgresForFile()
/** The real service with leases that run out five times as fast. */
const main = fileURLToPath(new URL('../../support/postgres/quick-replica-main.ts', import.meta.url))
/** 20 s, five times as fast. */
const HELD_MS = 4_000

type Delivery = { readonly path: string; readonly seqs: readonly number[] }

/** A webhook that answers at once, but for the first request to a path that is held back. */
async function heldWebhook(heldPath: string) {
  const deliveries: Delivery[] = []
  let held: ServerResponse | undefined
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const events = JSON.parse(Buffer.concat(chunks).toString()) as { data: { seq: number } }[]
      const path = request.url ?? ''
      deliveries.push({ path, seqs: events.map(({ data }) => data.seq) })
      if (path === heldPath && held === undefined) held = response
      else response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as { port: number }
  return {
    sink: (path: string) => ({
      SNAPHOOK_SINKS: `hook=http://127.0.0.1:${port}${path}`,
      SNAPHOOK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'of the tests').toString('base64')}`,
    }),
    of: (path: string) =>
      deliveries.filter((each) => each.path === path).flatMap(({ seqs }) => seqs),
    isHeld: () => held !== undefined,
    answer: () => held?.end(),
    async [Symbol.asyncDispose]() {
      receiver.closeAllConnections()
      receiver.close()
      await once(receiver, 'close')
    },
  }
}

const PASSWORD = 'thePassw0rdOfTheDatabase'

test.concurrent('27: a login that does not fit any more shows everywhere, and its password nowhere', async ({
  onTestFinished,
}) => {
  await server().query(`create role secretive login password '${PASSWORD}'`)
  await server().query('grant create on database snaphook to secretive')
  onTestFinished(await letIn(server(), ['host all secretive all scram-sha-256']))
  await using stage = await setStage()
  const location = server().newLocation({ user: 'secretive', password: PASSWORD })
  const SNAPHOOK_STORE = storeUrl(location)
  await using service = await serveHere(stage, { SNAPHOOK_STORE })
  await settled(service)
  await server().query(`alter role secretive password 'another'`)
  await server().query(`select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'secretive'`)
  const shown: string[] = []
  const refused = await until('it says so', async () => {
    const now = await readiness(service)
    shown.push(JSON.stringify(now))
    return now.status === 503 && now.reasons.some((each) => each.includes('password')) && now
  })
  expect(refused.reasons.join()).toContain('refuses the password of this role')
  const signedHost = new URL(stage.front.url).hostname
  const url = `${service.callbacks}/callbacks/${DOMAIN}`
  const answer = await sendCallback(url, { key: keyOf(0), signedHost })
  expect(answer.status).toBe(503)
  const command = await stage.finish(['status'], { SNAPHOOK_STORE })
  expect(command).toMatchObject({ code: 1, stderr: expect.stringContaining('the password of') })
  shown.push(JSON.stringify([answer, command, service.log()]), (await metricsOf(service)).text)
  for (const text of shown) expect(text).not.toContain(PASSWORD)
  await server().query(`alter role secretive password '${PASSWORD}'`)
  await until('it is ready again', async () => (await readiness(service)).status === 200)
})

describe.concurrent('2: an owner is paused while its sink has a request', () => {
  it.for([
    ['and the answer comes after it has woken', false],
    ['and the answer is there when it wakes', true],
  ] as const)('%s', async ([, isAnsweredFirst], { onTestFinished }) => {
    await using webhook = await heldWebhook('/owner')
    await using stage = await setStage()
    const location = server().newLocation()
    const SNAPHOOK_STORE = storeUrl(location)
    // More than a batch: the next one is read ahead, and could be sent as soon as the answer is there.
    const store = await openShared(location, {}, onTestFinished)
    await Promise.all(range(150).map((n) => store.append(eventOf(n, { receivedAt: Date.now() }))))
    const serve = async (path: string): Promise<Serving> => {
      const replica = await listening(
        stage.run([], { SNAPHOOK_STORE, ...webhook.sink(path) }, { main }),
      )
      stage.front.lead(replica.callbacks)
      await settled(replica)
      return replica
    }
    const owner = await serve('/owner')
    const other = await serve('/other')
    const timestamp = nowSeconds()
    const signedHost = new URL(stage.front.url).hostname
    const send = async (n: number) => {
      const url = `${other.callbacks}/callbacks/${DOMAIN}`
      const body = `{"n":${n}}`
      return (await sendCallback(url, { key: keyOf(0), signedHost, timestamp, body })).status
    }

    await until('the owner has sent its request', webhook.isHeld)
    owner.kill('SIGSTOP')
    const heldUntil = performance.now() + HELD_MS
    for (const n of [1, 2]) expect(await send(n)).toBe(200)
    await until('the other one delivers', () => webhook.of('/other').length === 152)
    await pause(heldUntil - performance.now())
    if (isAnsweredFirst) {
      webhook.answer()
      // It is in the kernel of the one that sleeps.
      await pause(100)
    }
    owner.kill('SIGCONT')
    if (!isAnsweredFirst) {
      await until('the stopped one learns of it', () =>
        owner.log().some(({ msg }) => msg.startsWith('no longer the owner')),
      )
      webhook.answer()
    }
    expect(await send(3)).toBe(200)
    await until('what comes now is delivered', () => webhook.of('/other').includes(153))
    await until('the stopped one learns of it', () =>
      owner.log().some(({ msg, task }) => msg.startsWith('no longer') && task === 'sink:hook'),
    )
    expect(webhook.of('/owner')).toEqual(range(100).map((n) => n + 1))
    expect(webhook.of('/other')).toEqual(range(153).map((n) => n + 1))
    const cursor = async () => {
      const [row] = await server().query(
        `select seq from ${location.schema}.cursors where sink = 'hook'`,
      )
      return Number(row?.seq)
    }
    await until('the cursor is written', async () => (await cursor()) === 153)
  })
})
