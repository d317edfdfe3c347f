// What a page costs at two sizes of the log, and what the streams table costs an append.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { understand } from '../../src/core/events/callback.ts'
import { EVERY_EVENT } from '../../src/core/events/event-filter.ts'
import { eventOf, type NewEvent } from '../../src/core/events/snapshot-event.ts'
import { jsonPage } from '../../src/store/event-texts.ts'
import { createStreamSearch } from '../../src/store/sqlite/streams/stream-search.ts'
import { createStreams } from '../../src/store/sqlite/streams/streams.ts'
import { createEventLog } from '../../src/store/sqlite/tables/event-log.ts'
import { createEventSearch } from '../../src/store/sqlite/tables/event-search.ts'
import { openConnection } from '../../src/store/sqlite/worker/connection.ts'
import { bodyOf, DOMAIN } from '../tools/callback.ts'
import { verdict } from '../tools/verdict.ts'

const SMALL = 10_000
const PAGES = 300
/** A page that costs so much more at the large size costs the same, on a machine with others on it. */
const SAME = 1.25
const START = Date.parse('2026-01-01T00:00:00Z')
const STREAMS = 500
/** As a busy group commit has. */
const GROUP = 64
const COMMITS = 4_000
/** The streams table may cost an append so much more, in percent. */
const STREAMS_COST = 5

/** Prints both. */
export function measurePages(large: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-bench-'))
  pages(folder, large)
  appends(folder)
  rmSync(folder, { recursive: true })
}

function pages(folder: string, large: number): void {
  const begun = performance.now()
  const logs = [SMALL, large].map((size) => ({ size, db: fill(join(folder, `${size}.db`), size) }))
  const seconds = ((performance.now() - begun) / 1000).toFixed(0)
  console.log(`a page, in ms (median of ${PAGES}), at ${SMALL} and ${large} events:`)
  console.log(`  (they took ${seconds} s to make)`)
  const [small, big] = logs.map(({ size, db }) => pagesOf(db, size))
  for (const [name, page] of small ?? []) {
    const other = big?.get(name) ?? (() => undefined)
    const [ms = Number.NaN, otherMs = Number.NaN] = medians([page, other])
    const isSame = verdict(otherMs / ms <= SAME, `×${(otherMs / ms).toFixed(2)} of ${SAME}`)
    console.log(`  ${name.padEnd(36)} ${ms.toFixed(3)}  ${otherMs.toFixed(3)}  ${isSame}`)
  }
  for (const { db } of logs) db.close()
}

/** A log of `size` events, made by SQL alone: a thousand times that of the tests takes seconds. */
function fill(path: string, size: number): DatabaseSync {
  const db = openConnection({ path, readOnly: false })
  db.exec('pragma synchronous = off')
  const insert = db.prepare(`
    insert into events (id, occurred_at, domain, origin, received_at, body)
    with recursive numbers (n) as (select cast(?1 as integer) union all select n + 1 from numbers where n + 1 < ?2)
    select randomblob(32), ${START} + n * 2, '${DOMAIN}', 'callback', ${START} + n * 2,
      cast(replace(replace(?3, '"0"', n % ${STREAMS}), '"1"', n) as blob)
    from numbers
  `)
  const body = JSON.stringify({
    ...{ DomainName: DOMAIN, AppName: 'live', StreamName: 'stream-"0"' },
    ...{ OssEndpoint: 'oss-cn-shanghai.example.com', OssBucket: 'snapshots' },
    ...{ OssObject: 'live/stream-"0"/"1".jpg', IsOverlay: false },
  }).replaceAll('\\', '')
  const step = 100_000
  for (let n = 0; n < size; n += step) insert.run(n, Math.min(n + step, size), body)
  const counted = db.prepare(`update counters set value = ? where name = 'streams_counted'`)
  counted.run(size - 3 * STREAMS)
  const streams = createStreams(db)
  while (streams.fill(STREAMS));
  db.exec('pragma wal_checkpoint(truncate)')
  return db
}

function pagesOf(db: DatabaseSync, size: number): Map<string, () => unknown> {
  const search = createEventSearch(db)
  const streamSearch = createStreamSearch(db)
  const now = START + size * 2
  const find = (over: object) => () =>
    jsonPage(search.find({ ...EVERY_EVENT, order: 'desc', after: null, limit: 100, ...over }))
  const every = {
    ...{ domain: null, app: null, state: null, q: null, after: null },
    now,
    limit: 100,
  }
  const middle = Math.floor(size / 2)
  const since = START + middle * 2
  return new Map<string, () => unknown>([
    ['/v1/events, the newest', find({})],
    ['/v1/events, from the middle', find({ after: middle })],
    ['/v1/events?since=…&order=asc', find({ since, order: 'asc' })],
    ['/v1/events?stream=… (one of 500)', find({ stream: 'stream-7', limit: 6 })],
    ['/v1/streams', () => streamSearch.find({ ...every, order: 'recent' })],
    ['/v1/streams?order=name', () => streamSearch.find({ ...every, order: 'name' })],
    ['/v1/streams?order=stalest', () => streamSearch.find({ ...every, order: 'stalest' })],
  ])
}

/** In turn, so that a noisy machine disturbs all. */
function medians(works: readonly (() => unknown)[]): number[] {
  const took = works.map((): number[] => [])
  for (let n = 0; n < PAGES; n++) {
    for (const [row, work] of works.entries()) {
      const begun = performance.now()
      work()
      took[row]?.push(performance.now() - begun)
    }
  }
  return took.map((each) => each.sort((a, b) => a - b)[PAGES / 2] ?? Number.NaN)
}

/** Event `n`: 500 streams, a shot of each a second. */
function eventNumber(n: number): NewEvent {
  const receivedAt = START + n * 2
  const body = bodyOf(n, receivedAt)
  const timestamp = String(Math.floor(receivedAt / 1000))
  const callback = { domain: DOMAIN, timestamp, body, receivedAt }
  return eventOf(callback, understand(body, DOMAIN, receivedAt))
}

/** Synced commits with and without streams, in turn: what they take of a processor. */
function appends(folder: string): void {
  const sides = [false, true].map((withStreams) => {
    const db = openConnection({ path: join(folder, `append-${withStreams}.db`), readOnly: false })
    return {
      db,
      log: createEventLog(db),
      streams: withStreams ? createStreams(db) : undefined,
      us: 0,
    }
  })
  let n = 0
  for (let commit = 0; commit < COMMITS; commit++) {
    const group = Array.from({ length: GROUP }, () => {
      const event = eventNumber(n++)
      return { event, understood: understand(event.body, DOMAIN, event.receivedAt) }
    })
    for (const side of commit % 2 === 0 ? sides : sides.toReversed()) {
      const { db, log, streams } = side
      const begun = process.threadCpuUsage()
      db.exec('begin immediate')
      const appends = log.group()
      const seqs = group.map(({ event }) => appends.append(event).seq)
      appends.end()
      if (streams?.isDue()) streams.write()
      db.exec('commit')
      for (const [row, { event, understood }] of group.entries()) {
        streams?.note(event, seqs[row] ?? 0, understood)
      }
      const { user, system } = process.threadCpuUsage(begun)
      side.us += user + system
    }
  }
  const [without = 1, withStreams = 0] = sides.map(({ us }) => us / (COMMITS * GROUP))
  for (const { db } of sides) db.close()
  const more = (withStreams / without - 1) * 100
  console.log(
    `an append in groups of ${GROUP}, ${STREAMS} streams: ${without.toFixed(1)} µs without streams, ${withStreams.toFixed(1)} µs with them  ${verdict(more < STREAMS_COST, `+${more.toFixed(1)} % of ${STREAMS_COST} %`)}`,
  )
}
