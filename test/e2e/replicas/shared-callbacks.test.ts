// What senders see of replicas on one PostgreSQL: two that get the same callback, and a server that
// hangs. Real processes, a real server. The numbers are those of the list in docs/scaling.md.
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { postgresForFile, processesOf, urlOf } from '../../support/postgres/postgres-server.ts'
import { rounds } from '../../support/rounds.ts'
import { nowSeconds, sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  type Serving,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

const server = postgresForFile({ synchronous_commit: 'off' })
/** Requests in flight. */
const SENDERS = 32
/** A callback is refused after 3 s at most; the rest is a busy machine. */
const REFUSED_WITHIN_MS = 4_000
/** What a replica may take for callbacks that it can't keep. */
const MORE_MEMORY_MIB = 100

async function setShared(count: number) {
  const stage = await setStage()
  const location = server().newLocation()
  const serve = () => stage.serve({ SNAPHOOK_STORE: urlOf(location) })
  const replicas = await Promise.all(range(count).map(serve))
  for (const replica of replicas) await settled(replica)
  const signedHost = new URL(stage.front.url).hostname
  const timestamp = nowSeconds()
  return {
    replicas,
    /** One callback to one replica, past the public URL: the same for the same `n`. */
    async send({ callbacks }: Serving, n: number) {
      const url = `${callbacks}/callbacks/${DOMAIN}`
      const callback = { key: keyOf(0), signedHost, timestamp, body: `{"n":${n}}` }
      return (await sendCallback(url, callback)).status
    },
    /** Bodies of the log. */
    async kept(): Promise<string[]> {
      const statement = `select convert_from(body, 'UTF8') as body from ${location.schema}.events`
      return (await server().query(statement)).map(({ body }) => String(body))
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  }
}

test('5: callbacks that reach two replicas at once are answered 200 by both, and kept once', async () => {
  await using it = await setShared(2)
  const pairs = rounds(10_000)
  let next = 0
  const statuses = new Set<number>()
  await Promise.all(
    range(SENDERS).map(async () => {
      while (next < pairs) {
        const n = next++
        const both = await Promise.all(it.replicas.map((replica) => it.send(replica, n)))
        for (const status of both) statuses.add(status)
      }
    }),
  )
  expect([...statuses]).toEqual([200])
  const kept = await it.kept()
  expect(kept.length).toBe(pairs)
  expect(new Set(kept).size).toBe(pairs)
  const counted = async (outcome: string) => {
    const each = await Promise.all(it.replicas.map(metricsOf))
    return each
      .map((metrics) => metrics.value('snaphook_callbacks_total', { domain: DOMAIN, outcome }) ?? 0)
      .reduce((sum, count) => sum + count, 0)
  }
  expect([await counted('accepted'), await counted('duplicate')]).toEqual([pairs, pairs])
})

test('9: while the server hangs, callbacks are refused in time; nothing comes twice, and all is back within 5 s', async () => {
  await using it = await setShared(1)
  const [replica] = it.replicas as [Serving]
  expect(await it.send(replica, 0)).toBe(200)
  const before = memoryOf(replica.pid)
  const frozen = processesOf(server())
  const wake = () => {
    for (const pid of frozen.splice(0)) wakeUp(pid)
  }
  onTestFinished(wake)
  for (const pid of frozen) process.kill(pid, 'SIGSTOP')
  const refused: number[] = []
  for (const round of range(2)) {
    const at = performance.now()
    const sent = range(200).map((n) => it.send(replica, 1 + 200 * round + n))
    refused.push(...(await Promise.all(sent)))
    expect(performance.now() - at).toBeLessThan(REFUSED_WITHIN_MS)
  }
  expect(new Set(refused)).toEqual(new Set([503]))
  expect(memoryOf(replica.pid) - before).toBeLessThan(MORE_MEMORY_MIB)
  wake()
  const wokenAt = performance.now()
  await until('it takes callbacks again', async () => (await it.send(replica, 1)) === 200)
  expect(performance.now() - wokenAt).toBeLessThan(5_000)
  const kept = await it.kept()
  expect(new Set(kept).size).toBe(kept.length)
})

/** Resident, in MiB. */
function memoryOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

/** Sessions that were given up may have ended. */
function wakeUp(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
