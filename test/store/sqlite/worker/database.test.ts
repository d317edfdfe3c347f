// The store in this very thread: what the worker runs, without the worker.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { NewEvent } from '../../../../src/core/events/snapshot-event.ts'
import { type Batch, packEvents, type Write } from '../../../../src/store/sqlite/messages.ts'
import { type Database, openDatabase } from '../../../../src/store/sqlite/worker/database.ts'
import { eventOf, range } from '../../../support/store/store-events.ts'
import { temporaryFolder } from '../../../support/store/store-fixtures.ts'

function newPath(): string {
  return join(temporaryFolder(), 'snaphook.db')
}

function open(path = newPath(), readOnly = false): Database {
  const database = openDatabase({ path, readOnly })
  let open = true
  onTestFinished(() => {
    if (open) database.close()
  })
  return {
    ...database,
    close() {
      open = false
      database.close()
    },
  }
}

function batch(events: readonly NewEvent[], writes: readonly Write[] = []): Batch {
  return { events: packEvents(events), writes }
}

const ring = (revision: number, content = '{}'): Write => {
  return { kind: 'ring', domain: 'live.example.com', content, revision }
}

describe('a group commit', () => {
  it('starts from nothing', () => {
    const database = open()
    expect(database.loadRing('live.example.com')).toBeNull()
    expect(database.loadCursor('stdout')).toBe(0)
    expect(database.loadReceivingTime()).toBe(0)
    expect(database.commit(batch([]))).toMatchObject({ seqs: [], writes: [] })
  })

  it('saves a ring over the revision that its writer has seen, and over no other', () => {
    const database = open()
    database.commit(batch([], [ring(0)]))
    expect(database.commit(batch([], [ring(3), ring(1, '[]'), ring(1)])).writes).toEqual([
      null,
      2,
      null,
    ])
    expect(database.loadRing('live.example.com')).toEqual({ content: '[]', revision: 2 })
  })

  it('answers each part of the group in its place', () => {
    const database = open()
    const committed = database.commit(
      batch(
        [eventOf(1), eventOf(2), eventOf(1)],
        [
          ring(0),
          ring(0),
          { kind: 'cursor', sink: 'stdout', seq: 2, at: 5 },
          { kind: 'receiving_time', seconds: 3 },
        ],
      ),
    )
    expect(committed).toEqual({
      seconds: expect.any(Number),
      seqs: [1, 2, 1],
      duplicates: [false, false, true],
      writes: [1, null, null, null],
    })
    expect(database.loadRing('live.example.com')).toEqual({ content: '{}', revision: 1 })
    expect(database.ringsVersion()).toBe(1)
    expect(database.loadCursor('stdout')).toBe(2)
    expect(database.loadReceivingTime()).toBe(3)
  })

  it('keeps the neighbours of what is malformed', () => {
    const database = open()
    const fault = {
      code: 'store_failed',
      message: expect.stringMatching(/^The store \S+ failed: /),
    }
    const committed = database.commit(
      batch(
        [eventOf(1), eventOf(2, { id: 'abc' }), eventOf(3, { id: 'abcd' })],
        [
          ring(0, null as unknown as string),
          { kind: 'cursor', sink: 'stdout', seq: 1.5, at: 0 },
          ring(0),
        ],
      ),
    )
    expect(committed.seqs).toEqual([1, fault, fault])
    expect(committed.writes).toEqual([fault, fault, 1])
    expect(database.stats()).toEqual({ events: 1, lastSeq: 1 })
  })

  it('fails as a whole where the store has no room, save for what is no event', () => {
    const database = open()
    database.pragma('max_page_count = 1')
    const body = new Uint8Array(50_000)
    const cursor: Write = { kind: 'cursor', sink: 'stdout', seq: 1, at: 0 }
    const full = {
      code: 'store_full',
      message: expect.stringMatching(/^The store \S+ is full: make room on its disk\.$/),
    }
    const committed = database.commit(batch([eventOf(1), eventOf(2, { body })], [cursor]))
    expect(committed).toMatchObject({
      seqs: [full, full],
      duplicates: [false, false],
      writes: [null],
    })
    expect(database.commit(batch([], [ring(0, 'x'.repeat(50_000))])).writes).toEqual([full])
    expect(() => database.probe()).toThrowError(expect.objectContaining({ errcode: 13 }))
    expect(database.stats()).toEqual({ events: 0, lastSeq: 0 })

    database.pragma('max_page_count = 1000')
    database.probe()
    expect(database.commit(batch([eventOf(2, { body })])).seqs).toEqual([1])
  })

  it('gives back the transaction that SQLite leaves open on a fault', () => {
    const path = newPath()
    const database = open(path)
    const damage = new DatabaseSync(path)
    damage.exec(
      `create trigger broken before insert on rings begin select raise(rollback, 'no'); end`,
    )
    damage.close()
    expect(database.commit(batch([eventOf(1)], [ring(0)])).seqs).toMatchObject([
      { code: 'store_failed' },
    ])
    expect(database.commit(batch([eventOf(1)])).seqs).toEqual([1])
  })
})

describe('reading', () => {
  it('stops at some megabytes, and goes on from there', () => {
    const database = open()
    const body = new Uint8Array(3 * 1024 * 1024)
    database.commit(batch(range(5).map((n) => eventOf(n, { body }))))
    expect(database.read({ after: 0, limit: 100 }).seqs).toEqual([1, 2])
    expect(database.read({ after: 3, limit: 100 }).seqs).toEqual([4, 5])
    // A read that stopped early holds no snapshot: the log can still be emptied.
    expect(database.pragma('wal_checkpoint(truncate)')).toBe(0)
  })

  it('counts what is deleted, by whomever', () => {
    const path = newPath()
    const database = open(path)
    database.commit(batch(range(3).map((n) => eventOf(n))))
    const other = new DatabaseSync(path)
    other.exec('delete from events')
    other.close()
    expect(database.stats()).toEqual({ events: 0, lastSeq: 3 })
  })
})

describe('opening', () => {
  const unavailable = (problem: RegExp) =>
    expect.objectContaining({
      name: 'ServiceError',
      code: 'store_unavailable',
      message: expect.stringMatching(problem),
    })

  it('refuses what is not a store, and leaves it as it is', () => {
    const path = newPath()
    const text = 'Dear diary, '.repeat(500)
    writeFileSync(path, text)
    for (const readOnly of [false, true]) {
      expect(() => open(path, readOnly)).toThrowError(unavailable(/is not a database: .*\.$/))
    }
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('refuses a damaged store, and leaves it as it is', () => {
    const path = newPath()
    const database = open(path)
    database.commit(batch([eventOf(1)]))
    database.close()
    const bytes = readFileSync(path)
    // Overwrites the schema, whose tree starts after the 100 bytes of the header.
    bytes.fill(0xff, 100, 200)
    writeFileSync(path, bytes)
    expect(() => open(path)).toThrowError(unavailable(/is damaged: restore it/))
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  it('names the path where something is in the way', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'snaphook.db'))
    writeFileSync(join(folder, 'file'), '')
    expect(() => open(join(folder, 'snaphook.db'))).toThrowError(unavailable(/can't be opened/))
    expect(() => open(join(folder, 'file', 'snaphook.db'))).toThrowError(unavailable(/no folder/))
    expect(() => open('/proc/self/snaphook.db')).toThrowError(unavailable(/\/proc\/self/))
  })

  it('refuses a place without a write-ahead log', () => {
    expect(() => open(':memory:')).toThrowError(unavailable(/local or block storage/))
  })

  it('only looks when it is told to', () => {
    const path = newPath()
    expect(() => open(path, true)).toThrowError(unavailable(/does not exist: start the service/))
    expect(readdirSync(join(path, '..'))).toEqual([])

    const database = open(path)
    database.commit(batch([eventOf(1)]))
    database.close()
    const bytes = readFileSync(path)
    const looking = open(path, true)
    expect(looking.stats()).toEqual({ events: 1, lastSeq: 1 })
    expect(looking.commit(batch([eventOf(2)], [ring(0)]))).toMatchObject({
      seqs: [{ code: 'store_failed' }],
      writes: [{ code: 'store_failed' }],
    })
    looking.close()
    expect(readdirSync(join(path, '..'))).toEqual(['snaphook.db'])
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })
})
