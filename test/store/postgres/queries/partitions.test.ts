// How the log begins new partitions and is rid of old ones, while replicas append and read. The numbers
// are those of the list in docs/scaling.md.
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { NewEvent } from '../../../../src/core/events/snapshot-event.ts'
import type { PostgresLocation } from '../../../../src/core/store-place.ts'
import type { PruneStep } from '../../../../src/ports/retention.ts'
import type { Appended } from '../../../../src/ports/store.ts'
import { createLink } from '../../../../src/store/postgres/connection/link.ts'
import type { PostgresStore } from '../../../../src/store/postgres/postgres-store.ts'
import { dropPartitions } from '../../../../src/store/postgres/queries/partitions.ts'
import { startTcpProxy } from '../../../support/network/tcp-proxy.ts'
import { postgresForFile } from '../../../support/postgres/postgres-server.ts'
import { openShared, readAll } from '../../../support/postgres/postgres-store.ts'
import { eventOf, range } from '../../../support/store/store-events.ts'
import { until } from '../../../support/until.ts'

const server = postgresForFile()

/** Events of a partition here: the least that is made otherwise is 65,536. */
const WIDTH = 100

/** A place whose log begins a partition every so many events. */
async function smallPartitions(): Promise<PostgresLocation> {
  const location = server().newLocation()
  const first = await openShared(location)
  const { schema } = location
  const [made] = await server().query(
    `select pg_get_functiondef('${schema}.make_partitions_1'::regproc) as source`,
  )
  const source = String(made?.source).replace('65536', String(WIDTH))
  await server().query(source.replace('8388608', String(WIDTH)))
  await first.close()
  return location
}

async function appendMany(store: PostgresStore, from: number, count: number): Promise<void> {
  const chunk = 50
  for (const nth of range(count / chunk)) {
    await Promise.all(range(chunk).map((n) => store.append(eventOf(from + chunk * nth + n))))
  }
}

/** In groups of `size`. */
async function appendAll(store: PostgresStore, events: readonly NewEvent[], size: number) {
  const kept: Appended[] = []
  for (let at = 0; at < events.length; at += size) {
    const group = events.slice(at, at + size).map((event) => store.append(event))
    kept.push(...(await Promise.all(group)))
  }
  return kept
}

/** All that was received before the nth event goes, whoever lacks it. */
function upTo(n: number, parts: Partial<PruneStep> = {}): PruneStep {
  const at = eventOf(n).receivedAt
  const maxBytes = Number.MAX_SAFE_INTEGER
  return { deliveredBefore: 0, anyBefore: at, maxBytes, sinks: [], limit: 1_000, at, ...parts }
}

/** The tables that hold events, each with whether it is on its way out. */
async function partitions({ schema }: PostgresLocation) {
  const rows = await server().query(
    `select relname as name, inhdetachpending as pending from pg_class
     left join pg_inherits on inhrelid = oid
     where relnamespace = '${schema}'::regnamespace and relkind = 'r' and relname like 'events\\_%'
     order by oid`,
  )
  return rows as { name: string; pending: boolean | null }[]
}

const namesOf = async (location: PostgresLocation) =>
  (await partitions(location)).map(({ name }) => name)

/** A session of somebody else's, in a transaction that has read what `statement` reads. */
async function openReader(statement: string) {
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port: server().port, user: 'admin', database: 'snaphook' },
  })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('begin')
  await client.query(statement)
  return client
}

describe('partitions of the log', () => {
  it('20: begin one after the other under six writers; a reader pages across, a repeat is known', async () => {
    const location = await smallPartitions()
    const stores = await Promise.all(range(6).map(() => openShared(location)))
    const reader = await openShared(location)
    const seen: number[] = []
    const writing = Promise.all(
      stores.map(async (store, n) => {
        await appendMany(store, 1_000 * n, 200)
      }),
    )
    await until('the reader has all', async () => {
      const page = await reader.read(seen.at(-1) ?? 0, 70)
      seen.push(...page.map(({ seq }) => seq))
      return seen.length >= 1_200
    })
    await writing
    expect(seen).toEqual(range(1_200).map((n) => n + 1))
    expect((await namesOf(location)).length).toBeGreaterThanOrEqual(12)
    // Of the first partition, through another replica than the one that kept it.
    const [first] = await reader.read(0, 1)
    const n = Number.parseInt(first?.id ?? '', 16)
    expect(await reader.append(eventOf(n))).toEqual({ seq: 1, duplicate: true })
  })

  it('a repeat is known in whichever it is, by itself and among others', async () => {
    const store = await openShared(await smallPartitions())
    const count = 6 * WIDTH
    // Times of capture go up and down, as those of streams that are late do.
    const shots = range(count).map((n) => eventOf(n, { occurredAt: 1_000 + ((n * 37) % 250) + n }))
    const kept = await appendAll(store, shots, 50)
    expect(kept.filter(({ duplicate }) => duplicate)).toEqual([])
    const seqs = new Map(shots.map(({ id }, n) => [id, kept[n]?.seq]))
    const mixed = range(count).map((n) => shots[(n * 61) % count] as NewEvent)
    for (const [given, size] of [
      [shots, 1],
      [mixed, 7],
    ] as const) {
      const again = await appendAll(store, given, size)
      expect(again.filter(({ duplicate }) => !duplicate)).toEqual([])
      expect(again.map(({ seq }) => seq)).toEqual(given.map(({ id }) => seqs.get(id)))
    }
    expect((await store.stats()).events).toBe(count)
  })

  it('20: one that is read when it goes: the reader has its page, nobody waits, and it goes later', async () => {
    const location = await smallPartitions()
    const failing: string[] = []
    const store = await openShared(location, { onDropFailing: (problem) => failing.push(problem) })
    await appendMany(store, 0, 3 * WIDTH)
    const [first] = await namesOf(location)
    const page = await store.read(0, 10)
    const reader = await openReader(
      `declare pages cursor for select seq from ${location.schema}.events order by seq`,
    )
    await reader.query('fetch 10 from pages')
    await store.prune(upTo(2 * WIDTH))
    const start = performance.now()
    // What comes next needs a partition, a letter, and the floor: none of them waits.
    await appendMany(store, 3 * WIDTH, 2 * WIDTH)
    const rejected = (await store.read(0, 1)).map((event) => ({ event, reason: '', attempts: 1 }))
    await store.advanceCursor('a', 2 * WIDTH, rejected)
    await store.prune(upTo(2 * WIDTH + 10))
    expect(performance.now() - start).toBeLessThan(1_500)
    await until('its detach has begun', async () => {
      return (await partitions(location))[0]?.pending === true
    })
    expect((await reader.query('fetch 10 from pages')).rows[0]).toEqual({ seq: '11' })
    expect((await store.read(page.at(-1)?.seq ?? 0, 1))[0]?.seq).toBe(2 * WIDTH + 11)
    await appendMany(store, 5 * WIDTH, 2 * WIDTH)
    await reader.query('commit')
    await until('it goes', async () => {
      await store.prune(upTo(2 * WIDTH + 10))
      return !(await namesOf(location)).includes(String(first))
    })
    expect(failing).toEqual([])
    expect((await readAll(store)).length).toBe(5 * WIDTH - 10)
  })

  it('19: a janitor that is paused between reading and writing moves nothing back', async () => {
    const location = await smallPartitions()
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: server().port })
    onTestFinished(() => proxy.close())
    const paused = await openShared({ ...location, port: proxy.port })
    const other = await openShared(location)
    await appendMany(other, 0, 250)
    await other.advanceCursor('behind', 20)
    let isPaused = false
    proxy.hold((piece) => {
      if (!piece.includes('prune_1')) return [piece, Buffer.alloc(0)]
      isPaused = true
      return [Buffer.alloc(0), piece]
    })
    const late = paused.prune(upTo(30, { sinks: ['behind', 'new'] }))
    await until('it has read and not written', () => isPaused)
    const faster = await other.prune(upTo(120, { sinks: ['behind', 'new'] }))
    expect(faster.expired).toEqual([
      { sink: 'behind', count: 100, toSeq: 120 },
      { sink: 'new', count: 120, toSeq: 120 },
    ])
    proxy.hold(null)
    proxy.release()
    expect(await late).toMatchObject({ removed: 0, expired: [], isMore: true })
    expect((await other.read(0, 1))[0]?.seq).toBe(121)
    expect(await other.listCursors()).toEqual([
      { sink: 'behind', seq: 120 },
      { sink: 'new', seq: 120 },
    ])
    const ranges = await other.readExpired(null)
    expect(ranges.map(({ sink, fromSeq, toSeq, count }) => [sink, fromSeq, toSeq, count])).toEqual([
      ['behind', 21, 120, 100],
      ['new', 1, 120, 120],
    ])
  })

  it('19: a janitor killed while it drops a partition leaves nothing that the next can not finish', async () => {
    const location = await smallPartitions()
    const store = await openShared(location)
    await appendMany(store, 0, 5 * WIDTH)
    const { schema } = location
    // As a kill leaves them: one detached and not dropped, one in the middle of its detach, one dropped
    // and not forgotten.
    const [a, b, c] = (await namesOf(location)) as [string, string, string]
    await server().query(`alter table ${schema}.events detach partition ${schema}.${c}`)
    await server().query(`drop table ${schema}.${c}`)
    await server().query(`alter table ${schema}.events detach partition ${schema}.${a}`)
    const reader = await openReader(`select 1 from ${schema}.events limit 1`)
    const killed = new pg.Client({
      ...{ host: '127.0.0.1', port: server().port, user: 'snaphook', database: 'snaphook' },
    })
    killed.on('error', () => undefined)
    await killed.connect()
    const detach = `alter table ${schema}.events detach partition ${schema}.${b} concurrently`
    const ended = killed.query(detach).catch(() => undefined)
    await until('it is in the middle', async () =>
      (await partitions(location)).some(({ pending }) => pending === true),
    )
    await server().query('select pg_terminate_backend($1)', [
      (killed as unknown as { processID: number }).processID,
    ])
    await ended
    await killed.end()
    await server().query(`update ${schema}.log_state set floor_seq = ${2 * WIDTH}`)
    // While somebody still reads, the next one gives way: appends need its lock for a new partition.
    const link = createLink({ location, name: 'next' })
    onTestFinished(() => link.close())
    const gaveWay = dropPartitions(link, location).then(
      () => 'done',
      (error: { code: string }) => error.code,
    )
    const start = performance.now()
    await appendMany(store, 5 * WIDTH, 2 * WIDTH)
    expect(await gaveWay).toBe('55P03')
    expect(performance.now() - start).toBeLessThan(1_000)
    await reader.query('commit')
    await store.prune(upTo(3 * WIDTH))
    await until('they are gone', async () => (await namesOf(location)).length <= 5)
    expect(await namesOf(location)).not.toContain(a)
    expect(await namesOf(location)).not.toContain(b)
    await until('and forgotten', async () => {
      const [left] = await server().query(
        `select count(*)::int as left from ${schema}.partitions where name = any ($1)`,
        [[a, b, c]],
      )
      return left?.left === 0
    })
    expect((await readAll(store)).map(({ seq }) => seq)).toEqual(
      range(4 * WIDTH).map((n) => 3 * WIDTH + n + 1),
    )
  })
})
