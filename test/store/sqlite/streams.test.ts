// Streams are counted from the log and written some commits later: whoever reads sees them as of the
// last event all the same, whatever ended in between.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { understand } from '../../../src/core/events/callback.ts'
import type { NewEvent } from '../../../src/core/events/snapshot-event.ts'
import type { StreamSummary } from '../../../src/ports/reading.ts'
import { createStreamSearch } from '../../../src/store/sqlite/streams/stream-search.ts'
import { createStreams } from '../../../src/store/sqlite/streams/streams.ts'
import { createEventLog } from '../../../src/store/sqlite/tables/event-log.ts'
import { MIGRATIONS } from '../../../src/store/sqlite/worker/migrate.ts'
import { shotOf } from '../../support/api-here.ts'
import { openStore, startChild, temporaryFolder } from '../../support/store-fixtures.ts'
import { until } from '../../support/until.ts'

const ALL = { domain: null, app: null, state: null, q: null, order: 'name', after: null } as const
const START = Date.parse('2026-03-01T00:00:00Z')
/** The version before appends left streams to later ones. */
const EARLIER = 1_007

type Shown = Pick<StreamSummary, 'events' | 'firstSeenAt' | 'intervalMs' | 'seenAt'> & {
  name: string
  seq: number
}
type LogRow = { seq: number; domain: string; receivedAt: number; body: Uint8Array }

function database(upTo = Number.POSITIVE_INFINITY) {
  const db = new DatabaseSync(':memory:')
  migrateFrom(db, 0, upTo)
  return db
}

function migrateFrom(db: DatabaseSync, from: number, upTo = Number.POSITIVE_INFINITY): void {
  for (const { version, script } of MIGRATIONS) {
    if (version > from && version <= upTo) db.exec(script)
  }
}

/** As versions before this one append. */
function appendAsBefore(db: DatabaseSync, { id, domain, origin, ...event }: NewEvent): void {
  db.prepare(`
    insert into events (id, occurred_at, domain, origin, received_at, body)
    values (unhex(?), ?, ?, ?, ?, ?)
  `).run(id, event.occurredAt, domain, origin, event.receivedAt, event.body)
}

const countOf = (db: DatabaseSync) => createEventLog(db).stats().events

function shot(n: number, stream: string, receivedAt = START + n * 1_000): NewEvent {
  const fields = { AppName: 'live', StreamName: stream, OssObject: `o/${n}` }
  return shotOf({ ...fields, CreateTimestamp: START + n * 1_000 }, { receivedAt })
}

/** What the whole log says, counted the plain way. */
function countedFrom(log: readonly LogRow[]): Shown[] {
  const byName = new Map<string, LogRow[]>()
  for (const row of log) {
    const { app, stream } = understand(row.body, row.domain, row.receivedAt)
    const name = `${row.domain} ${app} ${stream}`
    byName.set(name, [...(byName.get(name) ?? []), row])
  }
  const all = [...byName].map(([name, rows]) => {
    const received = rows.map(({ receivedAt }) => receivedAt)
    let latest = { seq: 0, at: Number.NEGATIVE_INFINITY }
    const gaps: number[] = []
    for (const { seq, body, domain, receivedAt } of rows) {
      const captured = understand(body, domain, receivedAt).capturedAt ?? receivedAt
      const at = Math.min(captured, receivedAt)
      if (at < latest.at) continue
      if (latest.seq > 0 && at - latest.at >= 250) gaps.push(at - latest.at)
      latest = { seq, at }
    }
    const last = gaps.slice(-8).sort((a, b) => a - b)
    return {
      name,
      events: rows.length,
      firstSeenAt: Math.min(...received),
      seenAt: Math.max(...received),
      seq: latest.seq,
      intervalMs: last.length < 2 ? null : (last[Math.floor((last.length - 1) / 2)] ?? null),
    }
  })
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function shown(streams: readonly StreamSummary[]): Shown[] {
  const all = streams.map(({ domain, app, stream, latest, ...rest }) => {
    const { events, firstSeenAt, intervalMs, seenAt } = rest
    const name = `${domain} ${app} ${stream}`
    return { name, events, firstSeenAt, seenAt, seq: latest.seq, intervalMs }
  })
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const rowsOf = (db: DatabaseSync) =>
  db
    .prepare('select seq, domain, received_at as receivedAt, body from events order by seq')
    .all() as LogRow[]

/** A database with streams beside its log, one of which may end at any moment. */
function world() {
  const db = database()
  const log = createEventLog(db)
  const search = createStreamSearch(db)
  const all: LogRow[] = []
  let streams = createStreams(db)
  let n = 0
  const inTransaction = (work: () => void, end: 'commit' | 'rollback' = 'commit') => {
    db.exec('begin')
    work()
    db.exec(end)
  }
  return {
    all,
    append(stream: string, late: number, isTold: boolean): void {
      const event = shot(n + 1 - late, stream, START + ++n * 1_000)
      const { seq, duplicate } = log.append(event)
      if (duplicate) return
      all.push({ ...event, seq })
      // Somebody else may have appended it: then the log alone tells.
      if (isTold) streams.note(event, seq, understand(event.body, event.domain, event.receivedAt))
    },
    write: () => inTransaction(streams.write),
    crash() {
      streams = createStreams(db)
    },
    rollBack() {
      inTransaction(streams.write, 'rollback')
      streams.forget()
    },
    prune(seq: number) {
      inTransaction(() => {
        streams.noteBeforeRemoval(seq)
        db.prepare('delete from events where seq <= ?').run(seq)
      })
    },
    found: () => search.find({ ...ALL, limit: 100, now: START }).streams,
  }
}

const action = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      stream: fc.constantFrom('a', 'b', 'c', 'd\u0007', '猫', ''),
      late: fc.constantFrom(0, 0, 0, 1, 5),
      isTold: fc.constantFrom(true, true, true, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('prune' as const), share: fc.nat(100) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'write' as const,
        'crash' as const,
        'rollBack' as const,
        'read' as const,
      ),
    }),
  },
)

test('are what the log says, whatever is written, lost, rolled back or pruned in between', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 5, maxLength: 120 }), (actions) => {
      const it = world()
      for (const each of actions) {
        if (each.kind === 'append') it.append(each.stream, each.late, each.isTold)
        else if (each.kind === 'prune') it.prune(Math.floor((it.all.length * each.share) / 100))
        else if (each.kind === 'read') it.found()
        else it[each.kind]()
      }
      const plain = countedFrom(it.all).map(({ name, ...rest }) => ({
        name: name.replace('\u0007', '\ufffd'),
        ...rest,
      }))
      expect(shown(it.found())).toEqual(plain)
      for (const { latest } of it.found()) {
        const kept = it.all[latest.seq - 1]
        expect(Buffer.from(kept?.body ?? []).toString()).toContain(`"${latest.object}"`)
        expect(latest.receivedAt).toBe(kept?.receivedAt)
      }
    }),
    { numRuns: 150 },
  )
})

describe('a log that others have appended to', () => {
  test('older than streams, is counted in steps, beside what comes', () => {
    const db = database(1_004)
    for (let n = 1; n <= 100; n++) appendAsBefore(db, shot(n, `s${n % 3}`))
    migrateFrom(db, 1_004)
    const log = createEventLog(db)
    const streams = createStreams(db)
    const event = shot(101, 's1')
    streams.note(event, log.append(event).seq)
    let steps = 0
    while (streams.fill(30)) steps += 1
    expect(steps).toBeGreaterThanOrEqual(3)
    expect(streams.fill(30)).toBe(false)
    const { streams: found } = createStreamSearch(db).find({ ...ALL, limit: 10, now: START })
    const expected = countedFrom(rowsOf(db)).map((each) =>
      // Its pace goes by what comes from now on.
      each.seq === 101 ? { ...each, intervalMs: null } : each,
    )
    expect(shown(found)).toEqual(expected)
  })

  test('by an earlier version for long, is counted in steps, and before anything is pruned', () => {
    const db = database()
    const search = createStreamSearch(db)
    db.exec('begin')
    for (let n = 1; n <= 17_000; n++) appendAsBefore(db, shot(n, `s${n % 5}`))
    db.exec('commit')
    const all = rowsOf(db)
    const log = createEventLog(db)
    const streams = createStreams(db)
    const append = (n: number) => {
      const event = shot(n, 's0')
      const { seq } = log.append(event)
      all.push({ ...event, seq })
      streams.note(event, seq)
    }
    append(17_001)
    expect(streams.isDue()).toBe(false)
    db.exec('begin')
    streams.noteBeforeRemoval(5_000)
    db.exec('delete from events where seq <= 5000')
    db.exec('commit')
    append(17_002)
    let steps = 0
    while (streams.fill(1_000)) steps += 1
    expect(steps).toBeGreaterThanOrEqual(5)
    append(17_003)
    const { streams: found } = search.find({ ...ALL, limit: 10, now: START })
    expect(shown(found)).toEqual(countedFrom(all))
    streams.write()
    const again = search.find({ ...ALL, limit: 10, now: START })
    expect(again.streams).toEqual(found)
  })

  test('has as many events as there are, whoever counts them', () => {
    const db = database(EARLIER)
    for (let n = 1; n <= 3; n++) appendAsBefore(db, shot(n, 's'))
    migrateFrom(db, EARLIER)
    const log = createEventLog(db)
    expect(countOf(db)).toBe(3)
    const group = log.group()
    for (const n of [4, 5, 4, 6, 2]) group.append(shot(n, 's'))
    group.end()
    expect(log.stats()).toEqual({ events: 6, lastSeq: 6 })
    appendAsBefore(db, shot(7, 's'))
    log.append(shot(8, 's'))
    expect(countOf(db)).toBe(8)
    db.exec('delete from events where seq <= 5')
    expect(countOf(db)).toBe(3)
  })
})

test('at the bound the longest silent streams go', () => {
  const db = database()
  const log = createEventLog(db)
  const streams = createStreams(db, 20)
  for (let n = 1; n <= 30; n++) {
    const event = shot(n, `s${n}`)
    streams.note(event, log.append(event).seq)
    if (n % 7 === 0) streams.write()
  }
  streams.write()
  const { streams: left } = createStreamSearch(db).find({
    ...ALL,
    order: 'stalest',
    limit: 100,
    now: START,
  })
  expect(left.length).toBeLessThanOrEqual(20)
  expect(left.at(-1)?.stream).toBe('s30')
  expect(left.map(({ stream }) => stream)).not.toContain('s1')
})

test('after kill -9 they are exactly what the log says, for one who looks and for the next start', async () => {
  const path = join(temporaryFolder(), 'snaphook.db')
  const child = startChild('shots', path)
  const mark = `select value from counters where name = 'streams_counted'`
  // In the middle: some of it is in the tables, some is not.
  await until('streams are written', () => {
    if (child.lines.length < 300) return false
    const db = new DatabaseSync(path, { readOnly: true })
    const written = Number(db.prepare(mark).get()?.value)
    db.close()
    return written > 0
  })
  const soFar = child.lines.length
  await until('more is appended', () => child.lines.length > soFar + 50)
  child.process.kill('SIGKILL')
  expect(await child.ended).toBe('SIGKILL')

  const dead = new DatabaseSync(path, { readOnly: true })
  const left = rowsOf(dead)
  expect(Number(dead.prepare(mark).get()?.value)).toBeLessThan(left.length)
  dead.close()
  expect(left.length).toBeGreaterThanOrEqual(child.lines.length)
  const query = { ...ALL, limit: 100, now: START }
  const looking = await openStore(path, { readOnly: true })
  expect(shown((await looking.findStreams(query)).streams)).toEqual(countedFrom(left))
  await looking.close()

  const service = await openStore(path)
  const event = shot(1, 's1')
  const { seq } = await service.append(event)
  const all = [...left, { ...event, seq }]
  expect(shown((await service.findStreams(query)).streams)).toEqual(countedFrom(all))
  const step = { anyBefore: event.receivedAt + 1, deliveredBefore: 0, maxBytes: 1e12, sinks: [] }
  const pruned = await service.prune({ ...step, limit: 100, at: event.receivedAt })
  expect(pruned.removed).toBe(100)
  while ((await service.prune({ ...step, limit: 10_000, at: event.receivedAt })).isMore);
  expect(await service.stats()).toMatchObject({ events: 0 })
  expect(shown((await service.findStreams(query)).streams)).toEqual(countedFrom(all))
})

test('a fault while they are counted refuses no event, and is made up for', async () => {
  const path = join(temporaryFolder(), 'snaphook.db')
  const store = await openStore(path)
  await store.append(shot(1, 'a'))
  const other = new DatabaseSync(path)
  other.exec('alter table streams rename to elsewhere')
  // A stream that is not remembered is looked for.
  expect(await store.append(shot(2, 'b'))).toEqual({ seq: 2, duplicate: false })
  other.exec('alter table elsewhere rename to streams')
  other.close()
  expect(await store.append(shot(3, 'b'))).toEqual({ seq: 3, duplicate: false })
  const { streams } = await store.findStreams({ ...ALL, limit: 10, now: START })
  expect(streams.map(({ stream, events }) => [stream, events])).toEqual([
    ['a', 1],
    ['b', 2],
  ])
})
