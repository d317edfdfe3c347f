// What appends must hold when the network, the server or another replica misbehaves. The numbers are
// those of the list in docs/scaling.md.
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startTcpProxy } from '../../support/network/tcp-proxy.ts'
import { postgresForFile, processesOf } from '../../support/postgres/postgres-server.ts'
import { openShared, readAll } from '../../support/postgres/postgres-store.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

/** As RDS comes: an acknowledged commit is not on disk, unless the transaction asks for it. */
const server = postgresForFile({ synchronous_commit: 'off' })

async function proxied() {
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: server().port })
  onTestFinished(() => proxy.close())
  const location = server().newLocation()
  return { proxy, location, through: { ...location, port: proxy.port } }
}

/** The last message of an append, after which its transaction would end by itself. */
const SYNC = Buffer.from([0x53, 0, 0, 0, 4])

describe('appends on PostgreSQL', () => {
  it('names come back as they were, whatever is in them', async () => {
    const store = await openShared(server().newLocation())
    const names = ['a"b', 'a\\b', 'a,b}', 'null', '', 'ä \n', 'a"b']
    await Promise.all(names.map((domain, n) => store.append(eventOf(n, { domain }))))
    expect((await readAll(store)).map(({ domain }) => domain)).toEqual(names)
  })

  it('3: a client that stops before it says Sync holds nobody up', async () => {
    const { proxy, location, through } = await proxied()
    const stuck = await openShared(through)
    const other = await openShared(location)
    proxy.hold((piece) =>
      piece.includes('append_1') && piece.subarray(-5).equals(SYNC)
        ? [piece.subarray(0, -5), piece.subarray(-5)]
        : [piece, Buffer.alloc(0)],
    )
    const first = stuck.append(eventOf(1))
    await until('the stuck append is kept', async () => (await other.read(0, 1)).length === 1)
    const start = performance.now()
    expect(await other.append(eventOf(2))).toEqual({ seq: 2, duplicate: false })
    expect(performance.now() - start).toBeLessThan(1_000)
    proxy.hold(null)
    proxy.release()
    expect(await first).toEqual({ seq: 1, duplicate: false })
  })

  it('4: six replicas append, and a reader that follows finds all in order, without gaps', async () => {
    const location = server().newLocation()
    const stores = [await openShared(location)]
    for (const _ of range(5)) stores.push(await openShared(location))
    const reader = await openShared(location)
    const seen: number[] = []
    let done = false
    const following = (async () => {
      for (;;) {
        const wasDone = done
        const page = await reader.read(seen.at(-1) ?? 0, 50)
        seen.push(...page.map(({ seq }) => seq))
        if (wasDone && page.length === 0) return
      }
    })()
    await Promise.all(
      stores.map(async (store, replica) => {
        for (const round of range(40)) {
          const first = 10_000 * replica + 5 * round
          await Promise.all(range(5).map((n) => store.append(eventOf(first + n))))
          await pause(Math.random() * 4)
        }
      }),
    )
    done = true
    await following
    expect(seen).toEqual(range(1_200).map((n) => n + 1))
  })

  it('5: a callback that two replicas get at the same moment is one event', async () => {
    const location = server().newLocation()
    const [one, other] = [await openShared(location), await openShared(location)]
    const answers: { seq: number; duplicate: boolean }[][] = []
    for (const round of range(20)) {
      const events = range(100).map((n) => eventOf(100 * round + n))
      const [a, b] = await Promise.all(
        [one, other].map((store) => Promise.all(events.map((event) => store.append(event)))),
      )
      for (const n of range(100)) answers.push([a?.[n], b?.[n]] as never)
    }
    expect(answers.every(([a, b]) => a?.seq === b?.seq && a?.duplicate !== b?.duplicate)).toBe(true)
    expect(await one.stats()).toMatchObject({ events: 2_000, lastSeq: 2_000 })
  })

  it('7: what was answered survives a server that dies at once and would not sync by itself', async () => {
    const location = server().newLocation()
    const store = await openShared(location)
    const kept: number[] = []
    let n = 0
    let isLoading = true
    const load = range(8).map(async () => {
      while (isLoading) {
        const answer = await store.append(eventOf(n++)).catch(() => null)
        if (answer !== null) kept.push(answer.seq)
        // What is refused at once must leave the store its turn to come back.
        else await pause(5)
      }
    })
    for (const round of range(3)) {
      await until('some are kept', () => kept.length > 200 * (round + 1))
      await server().stop('immediate')
      await server().start()
    }
    await until('it goes on', () => kept.length > 1_000)
    isLoading = false
    await Promise.all(load)
    const seqs = (await readAll(store)).map(({ seq }) => seq)
    expect(seqs).toEqual(range(seqs.length).map((each) => each + 1))
    expect(new Set(kept).size).toBe(kept.length)
    const found = new Set(seqs)
    expect(kept.filter((seq) => !found.has(seq))).toEqual([])
  })

  it('8: a group that was cut off after the server had it is sent again, and is fresh', async () => {
    const { proxy, location, through } = await proxied()
    const store = await openShared(through)
    await store.append(eventOf(0))
    const other = await openShared(location)
    proxy.hold((piece) => {
      if (!piece.includes('append_1')) return [piece, Buffer.alloc(0)]
      // The answer never comes: the connection goes as soon as the event shows.
      proxy.hold(null)
      void until('it is kept', async () => (await other.read(1, 1)).length === 1).then(() => {
        proxy.swallow(false)
        proxy.cut()
      })
      setImmediate(() => proxy.swallow(true))
      return [piece, Buffer.alloc(0)]
    })
    expect(await store.append(eventOf(1, { receivedAt: 5 }))).toEqual({ seq: 2, duplicate: false })
    expect(await other.stats()).toMatchObject({ events: 2, lastSeq: 2 })
  })

  it('9: while the server hangs, callbacks are refused in time, and all goes on afterwards', async () => {
    const location = server().newLocation()
    const store = await openShared(location)
    await store.append(eventOf(0))
    const frozen = processesOf(server())
    for (const each of frozen) process.kill(each, 'SIGSTOP')
    onTestFinished(() => {
      for (const each of frozen) if (isAlive(each)) process.kill(each, 'SIGCONT')
    })
    const start = performance.now()
    const refusal = expect.stringMatching(/^store_(slow|failed)$/)
    await expect(store.append(eventOf(1))).rejects.toMatchObject({ code: refusal })
    expect(performance.now() - start).toBeLessThan(3_500)
    await expect(store.checkWritable()).rejects.toMatchObject({ name: 'ServiceError' })
    const late = store.append(eventOf(3))
    await expect(late).rejects.toMatchObject({ name: 'ServiceError' })
    for (const each of frozen) if (isAlive(each)) process.kill(each, 'SIGCONT')
    await until('it takes appends again', () =>
      store.append(eventOf(2)).then(
        () => true,
        () => false,
      ),
    )
    const ids = (await readAll(store)).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('21: a writing transaction left open elsewhere stops nothing', async () => {
    const location = server().newLocation()
    const store = await openShared(location)
    await server().query('create table if not exists other (n int)')
    const left = server().query('insert into other values (1); select pg_sleep(2)')
    await store.append(eventOf(1))
    expect(await store.read(0, 10)).toHaveLength(1)
    await left
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
