// Looking into SQLite: the contract, and what is its own: bounded work, and a reader beside the writer.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { EVERY_EVENT } from '../../../src/core/events/event-filter.ts'
import { createEventLog } from '../../../src/store/sqlite/tables/event-log.ts'
import { createEventSearch } from '../../../src/store/sqlite/tables/event-search.ts'
import { MIGRATIONS } from '../../../src/store/sqlite/worker/migrate.ts'
import { readingContract } from '../../contract/reading-contract.ts'
import { shotOf } from '../../support/service/api-here.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { openStore, temporaryFolder } from '../../support/store/store-fixtures.ts'

const newPath = () => join(temporaryFolder(), 'snaphook.db')

readingContract('sqlite', () => openStore(newPath()))
readingContract('memory', async () => memoryStore())

const ALL = { domain: null, app: null, state: null, q: null, order: 'name', after: null } as const
const START = Date.parse('2026-03-01T00:00:00Z')

function shot(n: number, stream = 'common') {
  const fields = { AppName: 'live', StreamName: stream, OssObject: `o/${n}` }
  return shotOf(
    { ...fields, CreateTimestamp: START + n * 1_000 },
    { receivedAt: START + n * 1_000 },
  )
}

function database() {
  const db = new DatabaseSync(':memory:')
  for (const { script } of MIGRATIONS) db.exec(script)
  return db
}

describe('a filter that matches next to nothing', () => {
  test('ends a call early, and the pages together find all', () => {
    const db = database()
    const log = createEventLog(db)
    db.exec('begin')
    for (let n = 1; n <= 70_000; n++)
      log.append(shot(n, n === 10 || n === 69_000 ? 'rare' : 'common'))
    db.exec('commit')
    const search = createEventSearch(db)
    for (const order of ['asc', 'desc'] as const) {
      const found: number[] = []
      let after: number | null = null
      let calls = 0
      do {
        const page = search.find({ ...EVERY_EVENT, stream: 'rare', order, after, limit: 100 })
        found.push(...page.events.map(({ seq }) => seq))
        after = page.next
        calls += 1
      } while (after !== null)
      expect(found).toEqual(order === 'asc' ? [10, 69_000] : [69_000, 10])
      expect(calls).toBeGreaterThanOrEqual(3)
    }
    // A range of time is looked for, not gone through.
    const since = START + 69_500_000
    const page = search.find({ ...EVERY_EVENT, since, order: 'asc', after: null, limit: 10 })
    expect(page.events[0]?.seq).toBe(69_500)
  })
})

test('what the latest shot shows outlives its event', async () => {
  const store = await openStore(newPath())
  for (let n = 1; n <= 6; n++) await store.append(shot(n, n <= 3 ? 'silent' : 'live'))
  const before = await store.findStreams({ ...ALL, limit: 5, now: START })
  const step = {
    anyBefore: START + 4_500,
    deliveredBefore: 0,
    maxBytes: 1e9,
    sinks: [],
    limit: 100,
  }
  expect((await store.prune({ ...step, at: START + 10_000 })).removed).toBe(4)
  expect(await store.logRange()).toEqual({ first: 5, last: 6 })
  const after = await store.findStreams({ ...ALL, limit: 5, now: START })
  expect(after).toEqual(before)
  expect(after.streams[1]).toMatchObject({ stream: 'silent', latest: { seq: 3, object: 'o/3' } })
})

test('a reader sees each commit, and a transaction that is under way holds it up for nothing', async () => {
  const path = newPath()
  const store = await openStore(path)
  await store.append(shot(1))
  expect(await store.logRange()).toEqual({ first: 1, last: 1 })
  const other = new DatabaseSync(path)
  other.exec('begin immediate')
  // Nobody can append now; looking goes on.
  expect(
    (await store.findEvents({ ...EVERY_EVENT, order: 'asc', after: null, limit: 5 })).events,
  ).toHaveLength(1)
  other.exec('rollback')
  other.close()
  await store.append(shot(2))
  expect(await store.logRange()).toEqual({ first: 1, last: 2 })
  expect((await store.findStreams({ ...ALL, limit: 5, now: START })).streams).toMatchObject([
    { events: 2, latest: { seq: 2 } },
  ])
  await store.close()
})
