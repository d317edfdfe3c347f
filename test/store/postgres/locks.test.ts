// What waits for a lock: changes of the schema while an older release serves, and appends. The numbers
// are those of the list in docs/scaling.md.
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { NewEvent } from '../../../src/core/events/snapshot-event.ts'
import type { PostgresLocation } from '../../../src/core/store-place.ts'
import { createAppender } from '../../../src/store/postgres/append.ts'
import { createLink, type Link } from '../../../src/store/postgres/connection/link.ts'
import type { Session } from '../../../src/store/postgres/connection/session.ts'
import { MIGRATIONS, migrate } from '../../../src/store/postgres/migrate.ts'
import type { PostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { createLeaseKeeper } from '../../../src/store/postgres/replicas/leases.ts'
import type { Migration } from '../../../src/store/schema-versions.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { openShared, readAll } from '../../support/postgres/postgres-store.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

const server = postgresForFile()

/** What the first release came with. */
const OLD = MIGRATIONS.filter(({ version }) => version <= 1004)
/** A later one: it changes the log itself, which no append may hold on to meanwhile. */
const NEXT: Migration = { version: 1998, script: 'alter table @.events add column note text' }
const NEW = [...MIGRATIONS, NEXT]

/** A replica of the first release, as far as it appends and owns; it makes the schema of its time. */
async function openOld(location: PostgresLocation, name: string) {
  const links = [createLink({ location, name }), createLink({ location, name })] as const
  await links[0].run((session) => migrate(session, location, { migrations: OLD }), 10_000)
  const appender = createAppender({ link: links[0], location, freeLock: async () => null })
  const view = () => ({ sinks: [], owned: [] })
  const link = withPulseOf(links[1], 'pulse_1')
  const leases = createLeaseKeeper({ link, location, name, version: '0', view })
  onTestFinished(async () => {
    await leases.close()
    await Promise.all(links.map((each) => each.close()))
  })
  return {
    leases,
    async append(event: NewEvent) {
      const { seqs } = await appender.commit([event])
      expect(seqs).toEqual([expect.any(Number)])
    },
  }
}

/** A link whose pulses are those of another release. */
function withPulseOf(link: Link, name: string): Link {
  const renamed = (session: Session): Session => ({
    ...session,
    rows: (statement, values) => session.rows(statement.replace(/pulse_\d+/, name), values),
  })
  return { ...link, run: (work, ms) => link.run((session) => work(renamed(session)), ms) }
}

/** Appends through each store, one after the other each, until it is told to stop. */
function load(stores: readonly { append(event: NewEvent): Promise<unknown> }[]) {
  let [isLoading, sent, slowestMs] = [true, 0, 0]
  const ends = stores.map(async (store) => {
    while (isLoading) {
      const start = performance.now()
      await store.append(eventOf(sent++))
      slowestMs = Math.max(slowestMs, performance.now() - start)
      await pause(3)
    }
  })
  return {
    sent: () => sent,
    async stop() {
      isLoading = false
      await Promise.all(ends)
      return { sent, slowestMs }
    },
  }
}

async function versions({ schema }: PostgresLocation): Promise<unknown[]> {
  const rows = await server().query(`select version from ${schema}.meta order by made_at`)
  return rows.map(({ version }) => version)
}

/** A session of somebody else's, in a transaction that stays open. */
async function openSession(statement: string, user = 'admin') {
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port: server().port, user, database: 'snaphook' },
    application_name: 'a "report"',
  })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('begin')
  await client.query(statement)
  return client
}

/** What an append takes first. */
const lockOfLog = ({ schema }: PostgresLocation) =>
  `select pg_advisory_xact_lock(1936613744, '${schema}'::regnamespace::oid::int)`

describe('a later release on the schema of an older one', () => {
  it('17: three start at once beside two that serve: migrated once, nobody waits, all serve', async () => {
    const location = server().newLocation()
    const old = [await openOld(location, 'old 1'), await openOld(location, 'old 2')] as const
    expect(await old[0].leases.hold('sink:a', AbortSignal.timeout(10_000))).not.toBeNull()
    const { stop, sent } = load(old)
    await until('the old ones serve', () => sent() > 20)
    const fresh = await Promise.all(range(3).map(() => openShared(location, { migrations: NEW })))
    const before = sent()
    await until('the old ones go on', () => sent() > before + 20)
    await Promise.all(fresh.map((store, n) => store.append(eventOf(1_000_000 + n))))
    const loaded = await stop()
    expect(loaded.slowestMs).toBeLessThan(1_000)
    expect(await versions(location)).toEqual(NEW.map(({ version }) => version))
    const seqs = (await readAll(fresh[0] as PostgresStore)).map(({ seq }) => seq)
    expect(seqs).toEqual(range(loaded.sent + 3).map((n) => n + 1))
    // An old one that starts again finds nothing to do, and nothing to fear.
    const again = await openOld(location, 'old 1')
    await again.append(eventOf(2_000_000))
    expect(old[0].leases.isOwner('sink:a')).toBe(true)
  })

  it('18: one that an open select keeps from it holds up no append, says who, and tries again', async () => {
    const location = server().newLocation()
    const old = await openOld(location, 'old')
    const { stop, sent } = load([old, old])
    await until('the old one serves', () => sent() > 10)
    const reader = await openSession(`select count(*) from ${location.schema}.events`)
    const heldUpBy: string[] = []
    const opening = openShared(location, {
      migrations: NEW,
      onHeldUp: (by) => heldUpBy.push(by),
    })
    await until('it is held up', () => heldUpBy.length > 0)
    await until('it says by whom', () => heldUpBy.at(-1)?.includes('report'))
    const before = sent()
    // More than one more try.
    await pause(1_300)
    expect(sent() - before).toBeGreaterThan(20)
    expect(await versions(location)).toEqual(MIGRATIONS.map(({ version }) => version))
    await reader.query('commit')
    const fresh = await opening
    expect(await versions(location)).toEqual(NEW.map(({ version }) => version))
    await fresh.append(eventOf(1_000_000))
    expect((await stop()).slowestMs).toBeLessThan(600)
    expect(heldUpBy.at(-1)).toMatch(/^session \d+ \(a \?report\?, role admin, hidden\)$/)
  })
})

describe('the lock of the log', () => {
  it('is taken from a session of our own that waits for its client', async () => {
    const location = server().newLocation()
    const store = await openShared(location)
    const stuck = await openSession(lockOfLog(location), 'snaphook')
    expect(await store.append(eventOf(1))).toEqual({ seq: 1, duplicate: false })
    await expect(stuck.query('commit')).rejects.toThrow()
  })

  it('that somebody else holds is waited for in vain, and the fault says who it is', async () => {
    const location = server().newLocation()
    const store = await openShared(location)
    const holder = await openSession(lockOfLog(location))
    await expect(store.append(eventOf(1))).rejects.toThrow(
      / is held up: session \d+ \(a \?report\?, role admin, \w+\) has held the lock/,
    )
    await holder.query('commit')
    expect(await store.append(eventOf(2))).toMatchObject({ duplicate: false })
  })
})
