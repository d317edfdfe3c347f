// A log that grew where no streams were counted: by an earlier version, or by somebody else.
import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { NewEvent } from '../../../../src/core/events/snapshot-event.ts'
import { createStreamSearch } from '../../../../src/store/sqlite/streams/stream-search.ts'
import { createStreams } from '../../../../src/store/sqlite/streams/streams.ts'
import { createEventLog } from '../../../../src/store/sqlite/tables/event-log.ts'
import {
  ALL,
  countedFrom,
  database,
  migrateFrom,
  rowsOf,
  START,
  shot,
  shown,
} from './counted-log.ts'

/** The version before appends left streams to later ones. */
const EARLIER = 1_007

/** As versions before this one append. */
function appendAsBefore(db: DatabaseSync, { id, domain, origin, ...event }: NewEvent): void {
  db.prepare(`
    insert into events (id, occurred_at, domain, origin, received_at, body)
    values (unhex(?), ?, ?, ?, ?, ?)
  `).run(id, event.occurredAt, domain, origin, event.receivedAt, event.body)
}

const countOf = (db: DatabaseSync) => createEventLog(db).stats().events

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
