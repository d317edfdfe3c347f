// Copies between stores of both kinds: whatever a store holds is there afterwards, byte for byte.
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/app/system-clock.ts'
import { COPIED_TABLES } from '../../src/store/copied-tables.ts'
import { acquireLock } from '../../src/store/sqlite/lock.ts'
import { range } from '../support/store/store-events.ts'
import { temporaryFolder } from '../support/store/store-fixtures.ts'
import { allStreams, type Dump, liveOn, shotOf } from '../support/store/store-life.ts'
import {
  copy,
  FEW,
  fileIn,
  openAt,
  placesForFile,
  RING,
  RINGS,
  SEALED,
  signal,
} from './copied-places.ts'

const { server, shared, dumpOf, lived } = placesForFile()
/** More streams than one page of them. */
const COUNT = 2_400

test('SQLite to PostgreSQL and back: equal byte for byte, and the numbers go on', async () => {
  const folder = temporaryFolder()
  const source = await lived(fileIn(folder), COUNT)
  const [there, back] = [shared(), fileIn(folder, 'back.db')]
  const result = await copy(source.place, there)
  expect(result).toMatchObject({ isKnown: false, left: {} })
  expect(result.copied).toMatchObject({
    events: COUNT - 100,
    rings: 2,
    replays: 2,
    streams: source.streams.length,
  })
  expect(source.streams.length).toBeGreaterThan(500)
  expect(await dumpOf(there)).toEqual(source.dump)
  await copy(there, back)
  expect(await dumpOf(back)).toEqual(source.dump)

  for (const place of [source.place, there, back]) {
    const store = await openAt(place, SEALED)
    expect(await allStreams(store)).toEqual(source.streams)
    expect((await store.loadRing('live.example.com'))?.ring).toEqual(RING)
    expect(await store.stats()).toMatchObject({ events: COUNT - 100, lastSeq: COUNT })
    // What was there is known by its identity, and what is new comes after it.
    expect(await store.append(shotOf(COUNT - 1))).toEqual({ seq: COUNT, duplicate: true })
    expect(await store.append(shotOf(COUNT))).toEqual({ seq: COUNT + 1, duplicate: false })
    expect(
      await store.requestReplay({
        sink: 'x',
        since: null,
        until: null,
        domain: null,
        stream: null,
      }),
    ).toBe(3)
    expect(await store.countDeadLetters()).toEqual(
      new Map([
        ['hook', 298],
        ['many', 1_200],
        ['other', 50],
      ]),
    )
    await store.close()
  }
})

test('no table and no column of a store is forgotten', async () => {
  const folder = temporaryFolder()
  const [file, database] = [fileIn(folder), shared()]
  for (const place of [file, database]) await (await openAt(place)).close()
  const columns = await server().query(
    `select table_name as t, column_name as c from information_schema.columns
     where table_schema = $1 and table_name !~ '^events_' order by 1, 2`,
    [database.location.schema],
  )
  const db = new DatabaseSync(file.path, { readOnly: true })
  const ofFile = db
    .prepare(
      `select m.name as t, c.name as c from sqlite_schema m, pragma_table_info(m.name) c
       where m.type = 'table' order by 1, 2`,
    )
    .all()
  db.close()
  // Copied by themselves; about a running service; made anew; or what a copy is noted in.
  const special = ['events', 'counters', 'copies', 'sqlite_sequence', 'probes']
  const ofServing = ['leases', 'peers', 'registrations', 'meta', 'partitions', 'log_state', 'jumps']
  const other = new Set([...special, ...ofServing, 'letter_totals'])
  const forgotten = (rows: readonly Record<string, unknown>[]) =>
    rows.flatMap(({ t, c }) => {
      const table = String(t) === 'stream_states' ? 'streams' : String(t)
      const known = COPIED_TABLES[table as keyof typeof COPIED_TABLES]?.columns
      const isKnown = known?.[String(c)] !== undefined
      return isKnown || other.has(table) ? [] : [`${table}.${String(c)}`]
    })
  expect(forgotten(columns)).toEqual(['dead_letters.number'])
  // Under another name, or of this kind of store alone.
  expect(forgotten(ofFile)).toEqual([
    'replays.refused',
    'streams.id',
    'streams.id',
    'streams.noted_seq',
  ])
})

test('PostgreSQL to PostgreSQL, with numbers that were never given out', async () => {
  const [from, to] = [shared(), shared()]
  const store = await openAt(from, SEALED)
  await liveOn(store, FEW, RINGS)
  // As after a failover.
  await server().query(`update ${from.location.schema}.log_state set timeline = 'FFFFFFFF'`)
  const { seq } = await store.append(shotOf(FEW))
  expect(seq).toBe(FEW + 2 ** 20 + 1)
  await store.close()
  // And after another one, with no event since.
  await server().query(`update ${from.location.schema}.log_state set timeline = 'FFFFFFFF'`)
  const again = await openAt(from)
  await again.checkWritable()
  await again.close()
  const lastSeq = seq + 2 ** 20
  for (const place of [to, fileIn(temporaryFolder())]) {
    await copy(from, place)
    expect(await dumpOf(place)).toEqual(await dumpOf(from))
    const copied = await openAt(place)
    expect(await copied.stats()).toMatchObject({ events: FEW + 1 - 100, lastSeq })
    expect(await copied.append(shotOf(FEW + 1))).toEqual({ seq: lastSeq + 1, duplicate: false })
    await copied.close()
  }
})

test('without the log: beside a service, and the numbers go on after its last one', async () => {
  const folder = temporaryFolder()
  const { place, dump } = await lived(fileIn(folder))
  const lock = await acquireLock(place.path, { holder: 'a service', clock: systemClock, signal })
  const serving = await openAt(place, SEALED)
  const to = shared()
  const result = await copy(place, to, { withEvents: false })
  expect(result.left).toEqual({ behind: 400, hook: 10, other: 350 })
  lock.release()
  const there = await dumpOf(to)
  const { events: _, replays: __, audits: ___, backfills: ____, cursors, ...rest } = dump
  expect(there).toMatchObject({ ...rest, audit_gaps: [], audit_not_taking: [] } satisfies Dump)
  expect(there).toMatchObject({ events: [], replays: [], audits: [], backfills: [] })
  expect(there.cursors).toHaveLength(cursors?.length as number)
  const store = await openAt(to, SEALED)
  expect((await store.loadRing('live.example.com'))?.ring).toEqual(RING)
  expect(await store.stats()).toMatchObject({ events: 0, lastSeq: FEW })
  // A letter of the old log and an event of the new one never have one number.
  expect(await store.append(shotOf(0))).toEqual({ seq: FEW + 1, duplicate: false })
  expect(await store.read(await store.loadCursor('hook'), 9)).toHaveLength(1)
  expect((await store.listCursors()).map(({ seq }) => seq)).toEqual([FEW, FEW, FEW])
  expect(await serving.stats()).toMatchObject({ events: FEW - 100 })

  const back = fileIn(folder, 'back.db')
  await store.close()
  await copy(to, back, { withEvents: false })
  const returned = await openAt(back, SEALED)
  expect(await returned.append(shotOf(1))).toEqual({ seq: FEW + 2, duplicate: false })
})

test('events with one identity, which a shared log can have, are kept once in a file', async () => {
  const folder = temporaryFolder()
  const [from, to] = [shared(), fileIn(folder)]
  const { schema } = from.location
  const store = await openAt(from)
  for (const n of range(3)) await store.append(shotOf(n))
  await store.close()
  await server().query(`drop index ${schema}.events_0_occurred_at_id_idx`)
  await server().query(`insert into ${schema}.events
    select 4, bytes_upto + 1, id, occurred_at, received_at, domain, origin, body
    from ${schema}.events where seq = 1`)
  for (const place of [to, shared()]) {
    await copy(from, place)
    const copied = await openAt(place)
    expect(await copied.stats()).toMatchObject({ lastSeq: 4 })
    expect(await copied.read(0, 9)).toHaveLength(3)
    expect(await copied.append(shotOf(4))).toEqual({ seq: 5, duplicate: false })
  }
})

test('a log that is all gone leaves its numbers', async () => {
  const folder = temporaryFolder()
  const [from, to, back] = [fileIn(folder), shared(), fileIn(folder, 'back.db')]
  const store = await openAt(from)
  for (const n of range(20)) await store.append(shotOf(n))
  const step = { deliveredBefore: 0, anyBefore: shotOf(99).receivedAt, sinks: [], limit: 1_000 }
  await store.prune({ ...step, maxBytes: Number.MAX_SAFE_INTEGER, at: shotOf(99).receivedAt })
  await store.close()
  await copy(from, to)
  await copy(to, back)
  for (const place of [to, back]) {
    const copied = await openAt(place)
    expect(await copied.stats()).toMatchObject({ events: 0, lastSeq: 20 })
    expect(await copied.append(shotOf(20))).toMatchObject({ seq: 21 })
    await copied.close()
  }
})
