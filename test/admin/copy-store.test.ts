// Copies between stores of both kinds: whatever a store holds is there afterwards, byte for byte, and
// what can't be copied as it is, is refused.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { type CopyResult, copyStore } from '../../src/admin/copy-store.ts'
import { openCopySource, openCopyTarget } from '../../src/app/copies.ts'
import { systemClock } from '../../src/app/system-clock.ts'
import { EMPTY_RING, type Ring } from '../../src/core/keys/key-ring.ts'
import type { StorePlace } from '../../src/core/store-place.ts'
import type { CopyTarget } from '../../src/ports/copy.ts'
import type { Reading } from '../../src/ports/reading.ts'
import type { Store } from '../../src/ports/store.ts'
import { COPIED_TABLES } from '../../src/store/copied-tables.ts'
import { createSeals } from '../../src/store/sealed-rings/seal.ts'
import { acquireLock } from '../../src/store/sqlite/lock.ts'
import { postgresForFile } from '../support/postgres-server.ts'
import { openShared } from '../support/postgres-store.ts'
import { OTHER_SECRET, range, SECRET } from '../support/store-events.ts'
import { openStore, temporaryFolder } from '../support/store-fixtures.ts'
import {
  allStreams,
  type Dump,
  dumpPostgres,
  dumpSqlite,
  liveOn,
  shotOf,
} from '../support/store-life.ts'

const server = postgresForFile()
/** More streams than one page of them. */
const COUNT = 2_400
/** Enough for something in each table. */
const FEW = 500
const signal = new AbortController().signal

const fileIn = (folder: string, name = 's.db') =>
  ({ kind: 'sqlite', path: join(folder, name) }) as const
const shared = () => ({ kind: 'postgres', location: server().newLocation() }) as const
const RING: Ring = {
  ...EMPTY_RING,
  current: { kind: 'foreign', key: 'foreignkey1234567890' },
  keys: [
    { id: { kind: 'foreign', key: 'foreignkey1234567890' }, seenAt: 7, usedAt: 9 },
    { id: { kind: 'derived', secret: SECRET.fingerprint, generation: 3 }, seenAt: 1, usedAt: 2 },
  ],
  confirmedUrl: 'https://hooks.example.com/callbacks/live.example.com',
}
const RINGS = { 'live.example.com': RING, 'quiet.example.com': { ...RING, released: true } }
/** Under a secret that the copy does not have. */
const SEALED = { seals: createSeals([OTHER_SECRET]) }

type Asked = {
  readonly withEvents: boolean
  /** Stops after the first batch of this. */
  readonly stopAt: string
  /** Stands for what the target does. */
  readonly spoil: Partial<CopyTarget>
}

/** Copies, with both stores opened as the command does it. */
async function copy(
  from: StorePlace,
  to: StorePlace,
  { withEvents = true, stopAt = '', spoil = {} }: Partial<Asked> = {},
): Promise<CopyResult> {
  const stopping = new AbortController()
  const onProgress = ({ what }: { what: string }) => {
    if (what === stopAt) stopping.abort()
  }
  const access = { clock: systemClock, signal }
  const source = await openCopySource(from, { ...access, isAlone: withEvents })
  try {
    const target = await openCopyTarget(to, { ...access, isAlone: true })
    try {
      const told = { now: Date.now, signal: stopping.signal, onProgress }
      return await copyStore({ from: source, to: { ...target, ...spoil }, withEvents, ...told })
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

const dumpOf = (place: StorePlace): Dump | Promise<Dump> =>
  place.kind === 'sqlite' ? dumpSqlite(place.path) : dumpPostgres(server(), place.location.schema)

const openAt = (place: StorePlace, options = {}): Promise<Store & Reading> =>
  place.kind === 'sqlite' ? openStore(place.path, options) : openShared(place.location, options)

/** A store with a life behind it, closed again. */
async function lived<P extends StorePlace>(place: P, count = FEW) {
  const store = await openAt(place, SEALED)
  await liveOn(store, count, RINGS)
  const streams = await allStreams(store)
  await store.close()
  return { place, streams, dump: await dumpOf(place) }
}

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

test.each(['sqlite', 'postgres'])(
  '%s: an interrupted copy goes on, and nobody serves on it',
  async (kind) => {
    const folder = temporaryFolder()
    const from = fileIn(folder)
    const to: StorePlace = kind === 'sqlite' ? fileIn(folder, 'to.db') : shared()
    await lived(from)
    await expect(copy(from, to, { stopAt: 'events' })).rejects.toMatchObject({ code: 'aborted' })
    const unfinished = { message: expect.stringContaining('holds an unfinished copy of') }
    await expect(openAt(to)).rejects.toMatchObject(unfinished)
    await expect(openAt(to, { readOnly: true })).rejects.toMatchObject(unfinished)
    await expect(copy(to, fileIn(folder, 'third.db'))).rejects.toMatchObject(unfinished)
    await expect(copy(from, to, { withEvents: false })).rejects.toMatchObject({
      message: expect.stringMatching(/unfinished copy of .*, with --events: go on with that one/),
    })
    await expect(copy(from, to, { stopAt: 'dead_letters' })).rejects.toMatchObject({
      code: 'aborted',
    })

    // The old service may have gone on meanwhile.
    const store = await openAt(from, SEALED)
    await store.append(shotOf(FEW))
    await store.advanceCursor('hook', FEW + 1)
    await store.changeDeadLetters({ kind: 'drop', sink: 'hook', seqs: [120] })
    const step = { deliveredBefore: 0, anyBefore: shotOf(120).receivedAt, sinks: [], limit: 1_000 }
    await store.prune({ ...step, maxBytes: Number.MAX_SAFE_INTEGER, at: shotOf(FEW).receivedAt })
    await store.close()
    const result = await copy(from, to)
    expect(await dumpOf(to)).toEqual(await dumpOf(from))
    expect(await copy(from, to)).toEqual({ ...result, isKnown: true, copied: {}, left: {} })
    const copied = await openAt(to)
    expect(await copied.stats()).toMatchObject({ events: FEW + 1 - 120, lastSeq: FEW + 1 })
  },
)

test('a copy in which something is missing is not complete', async () => {
  const folder = temporaryFolder()
  const [from, to] = [fileIn(folder), fileIn(folder, 'to.db')]
  await lived(from)
  await expect(
    copy(from, to, { spoil: { writeRows: async () => undefined } }),
  ).rejects.toMatchObject({
    message: expect.stringMatching(/has 0 streams where \d+ were copied: run it again/),
  })
  await copy(from, to)
  expect(await dumpOf(to)).toEqual(await dumpOf(from))
})

test('the rest of a copy is not taken from another log', async () => {
  const folder = temporaryFolder()
  const [from, to] = [fileIn(folder), shared()]
  await lived(from)
  await expect(copy(from, to, { stopAt: 'events' })).rejects.toMatchObject({ code: 'aborted' })
  rmSync(from.path)
  const another = await openAt(from)
  await another.append(shotOf(7))
  await another.close()
  await expect(copy(from, to)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringMatching(/holds a part of another log than .* has now/),
  })
})

test('what is not empty, is served on, or is not there, is refused', async () => {
  const folder = temporaryFolder()
  const from = fileIn(folder)
  await expect(copy(from, shared())).rejects.toMatchObject({
    message: `There is no store ${from.path}.`,
  })
  await lived(from)
  for (const to of [fileIn(folder, 'used.db'), shared()]) {
    const used = await openAt(to)
    await used.addUnsigned('live.example.com', 1)
    await used.close()
    await expect(copy(from, to)).rejects.toMatchObject({
      message: expect.stringContaining('is not empty'),
    })
  }

  const locked = { code: 'store_locked', message: expect.stringContaining('in use by') }
  const lock = await acquireLock(from.path, { holder: 'a service', clock: systemClock, signal })
  await expect(copy(from, shared())).rejects.toMatchObject(locked)
  lock.release()
  const to = shared()
  const replica = await openShared(to.location)
  const told = { version: '1', view: () => ({ sinks: [], owned: [] }), onGrowth: () => undefined }
  const leases = replica.join({ name: 'host 1', ...told })
  const lease = await leases.hold('janitor', signal)
  await expect(copy(from, to)).rejects.toMatchObject(locked)
  await expect(copy(to, fileIn(folder, 'new.db'))).rejects.toMatchObject(locked)
  await lease?.release()
  await replica.close()
  await copy(from, to)
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
