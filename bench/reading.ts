// What looking costs: pages at two sizes of the log, the streams table beside an append, and ingest
// while a hundred readers follow and one pages through everything. `npm run bench -- reading 300000`
// takes a smaller log, and `… 300000 4` shorter runs.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { understand } from '../src/core/events/callback.ts'
import { EVERY_EVENT } from '../src/core/events/event-filter.ts'
import { eventOf, type NewEvent } from '../src/core/events/snapshot-event.ts'
import { createEventLog } from '../src/store/sqlite/tables/event-log.ts'
import { createEventSearch } from '../src/store/sqlite/tables/event-search.ts'
import { createStreamSearch } from '../src/store/sqlite/streams/stream-search.ts'
import { createStreams } from '../src/store/sqlite/streams/streams.ts'
import { openConnection } from '../src/store/sqlite/worker/connection.ts'
import { bodyOf, DOMAIN } from './callback.ts'
import { load } from './generator.ts'
import { end, makeFolder, startChild, startProvider, startSnaphook } from './processes.ts'

const SMALL = 10_000
const LARGE = Number(process.argv[3] ?? 3_000_000)
const SECONDS = Number(process.argv[4] ?? 8)
const ROUNDS = 3
const CONNECTIONS = 64
const PAGES = 300
const START = Date.parse('2026-01-01T00:00:00Z')
/** As a busy group commit has. */
const GROUP = 64

const folder = mkdtempSync(join(tmpdir(), 'snaphook-bench-'))
await pages()
appends()
rmSync(folder, { recursive: true })
await ingest()

/** Event `n`: 500 streams, a shot of each a second. */
function eventNumber(n: number): NewEvent {
  const receivedAt = START + n * 2
  const body = bodyOf(n, receivedAt)
  const timestamp = String(Math.floor(receivedAt / 1000))
  const callback = { domain: DOMAIN, timestamp, body, receivedAt }
  return eventOf(callback, understand(body, DOMAIN, receivedAt))
}

async function pages(): Promise<void> {
  const sizes = [SMALL, LARGE].map((size) => ({ size, figures: measurePages(size) }))
  const [small, large] = sizes as [(typeof sizes)[0], (typeof sizes)[0]]
  console.log(`a page, in ms (median of ${PAGES}), at ${SMALL} and at ${LARGE} events:`)
  for (const [name, ms] of small.figures) {
    const other = large.figures.get(name) ?? Number.NaN
    const ratio = (other / ms).toFixed(2)
    console.log(`  ${name.padEnd(40)} ${ms.toFixed(3)}  ${other.toFixed(3)}  ×${ratio}`)
  }
}

function measurePages(size: number): Map<string, number> {
  const db = openConnection({ path: join(folder, `${size}.db`), readOnly: false })
  db.exec('pragma synchronous = off')
  const log = createEventLog(db)
  const streams = createStreams(db)
  for (let n = 0; n < size; ) {
    db.exec('begin')
    for (let left = Math.min(5_000, size - n); left > 0; left--) log.append(eventNumber(n++))
    db.exec('commit')
    db.exec('begin')
    streams.fill(5_000)
    db.exec('commit')
  }
  const search = createEventSearch(db)
  const streamSearch = createStreamSearch(db)
  const now = START + size * 2
  const find = (over: object) =>
    search.find({ ...EVERY_EVENT, order: 'desc', after: null, limit: 100, ...over })
  const every = { domain: null, app: null, state: null, q: null, after: null, now } as const
  const middle = Math.floor(size / 2)
  const since = START + middle * 2
  const figures = new Map([
    ['/v1/events, the newest', median(() => find({}))],
    ['/v1/events, from the middle', median(() => find({ after: middle }))],
    ['/v1/events?since=…&order=asc', median(() => find({ since, order: 'asc' }))],
    ['/v1/events?stream=… (one of 500)', median(() => find({ stream: 'stream-7', limit: 24 }))],
    ['/v1/events?stream=… (there is none)', median(() => find({ stream: 'nowhere' }), 10)],
    ['/v1/streams', median(() => streamSearch.find({ ...every, order: 'recent', limit: 100 }))],
    [
      '/v1/streams?order=name',
      median(() => streamSearch.find({ ...every, order: 'name', limit: 100 })),
    ],
  ])
  db.close()
  return figures
}

function median(work: () => unknown, times = PAGES): number {
  const took = Array.from({ length: times }, () => {
    const begun = performance.now()
    work()
    return performance.now() - begun
  }).sort((a, b) => a - b)
  return took[Math.floor(took.length / 2)] ?? Number.NaN
}

/** Synced commits with and without streams, in turn, so that a noisy machine disturbs both. */
function appends(): void {
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
  const commits = 4_000
  for (let commit = 0; commit < commits; commit++) {
    const group = Array.from({ length: GROUP }, () => {
      const event = eventNumber(n++)
      return { event, understood: understand(event.body, DOMAIN, event.receivedAt) }
    })
    for (const side of commit % 2 === 0 ? sides : sides.toReversed()) {
      const { db, log, streams } = side
      const begun = process.threadCpuUsage()
      db.exec('begin immediate')
      const seqs = group.map(({ event }) => log.append(event, true).seq)
      log.countNew(seqs.length)
      if (streams?.isDue()) streams.write()
      db.exec('commit')
      for (const [row, { event, understood }] of group.entries())
        streams?.note(event, seqs[row] ?? 0, understood)
      const { user, system } = process.threadCpuUsage(begun)
      side.us += user + system
    }
  }
  const [without, withStreams] = sides.map(({ us }) => us / (commits * GROUP))
  for (const { db } of sides) db.close()
  const more = (((withStreams ?? 0) / (without ?? 1) - 1) * 100).toFixed(1)
  console.log(
    `an append in groups of ${GROUP}, 500 streams: ${without?.toFixed(2)} µs of processor time without streams, ${withStreams?.toFixed(2)} µs with them (+${more} %)`,
  )
}

async function ingest(): Promise<void> {
  const space = makeFolder()
  const provider = await startProvider([DOMAIN])
  const snaphook = await startSnaphook({ provider, domains: [DOMAIN], folder: space.path })
  await snaphook.ready()
  const { configurations } = await provider.state()
  const target = { port: snaphook.port, key: configurations[DOMAIN]?.notify?.NotifyAuthKey ?? '' }
  await load(target, CONNECTIONS, 2)
  const sums = { alone: 0, followed: 0, paged: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ['alone', 'followed', 'paged'] as const) {
      const clients =
        kind === 'alone' ? undefined : await startClients(kind, Number(new URL(snaphook.ops).port))
      const { requests, seconds } = await load(target, CONNECTIONS, SECONDS)
      sums[kind] += requests / seconds / ROUNDS
      if (clients) await end(clients)
    }
  }
  const ratio = (kind: 'followed' | 'paged') => (sums[kind] / sums.alone).toFixed(2)
  console.log(
    `ingest: ${sums.alone.toFixed(0)}/s alone, ${sums.followed.toFixed(0)}/s with 100 readers of the event stream (×${ratio('followed')}), ${sums.paged.toFixed(0)}/s with one that pages through everything (×${ratio('paged')})`,
  )
  await snaphook.stop()
  await provider.stop()
  space.remove()
}

/** Clients in a process of their own: what they take is not the service's. */
async function startClients(kind: 'followed' | 'paged', port: number) {
  const { child } = await startChild(['bench/reading-clients.ts', kind, String(port)])
  return child
}
