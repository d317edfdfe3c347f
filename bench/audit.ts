// What an audit costs: calls for streams without a hole and with one callback in a hundred lost, and
// what a comparison that goes on does to the appends of callbacks. `npm run bench -- audit [STREAMS]`.
import { join } from 'node:path'
import { systemClock } from '../src/app/system-clock.ts'
import type { ListedShot } from '../src/core/audit/shots.ts'
import { eventId, type NewEvent } from '../src/core/events/snapshot-event.ts'
import { secretFrom } from '../src/core/keys/notify-key.ts'
import { auditWindow } from '../src/flows/audit/audit-window.ts'
import { compare } from '../src/flows/audit/compare.ts'
import { createIntervals } from '../src/flows/audit/intervals.ts'
import type { SnapshotLists } from '../src/ports/audit.ts'
import { createSeals } from '../src/store/sealed-rings/seal.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { makeFolder } from './processes.ts'

const STREAMS = Number(process.argv[3] ?? 2_000)
const WINDOW_MS = 15 * 60_000
const SHOT_EVERY_MS = 5_000
const START = Date.parse('2026-01-02T03:00:00Z')
const NOW = START + WINDOW_MS + 5 * 60_000
const IN_FLIGHT = 64
const INGEST_SECONDS = 4
const never = new AbortController().signal

const folder = makeFolder()
const store = await openSqliteStore({
  path: join(folder.path, 'snaphook.db'),
  seals: createSeals([secretFrom(new Uint8Array(32).fill(1))]),
  now: Date.now,
})
try {
  for (const [domain, everyLost] of [
    ['whole.example.com', Infinity],
    ['lossy.example.com', 100],
  ] as const) {
    await store.beginTaking([domain], START)
    await appendWindow(domain, everyLost)
    const calls = { pushes: 0, shots: 0 }
    const begun = performance.now()
    const found = { missed: 0, windows: 0 }
    for (;;) {
      const record = await store.loadAudit(domain)
      if (record === null) throw new TypeError('not begun')
      const deps = { store, lists: listsOf(calls), intervals: createIntervals(), marginMs: 300_000 }
      const outcome = await auditWindow(deps, record, NOW, never)
      if (outcome.kind !== 'filled') break
      found.windows += 1
      found.missed += outcome.missed
    }
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
    console.log(
      `${domain}: ${STREAMS} streams, a quarter of an hour: ${calls.pushes} lists of pushes, ${calls.shots} of shots, ${found.missed} missed, ${seconds} s without the provider's`,
    )
  }
  await ingest('warm.example.com')
  let [alone, beside] = [0, 0]
  for (const round of [1, 2]) {
    alone += await ingest(`alone-${round}.example.com`)
    const stop = new AbortController()
    const comparing = compareOn(stop.signal)
    beside += await ingest(`beside-${round}.example.com`)
    stop.abort()
    await comparing
  }
  console.log(
    `appends a second: ${Math.round(alone / 2)} alone, ${Math.round(beside / 2)} beside a comparison: ${(beside / alone).toFixed(2)}`,
  )
} finally {
  await store.close()
  folder.remove()
}

/** Every stream has a shot each five seconds; one in `everyLost` is not in the log. */
async function appendWindow(domain: string, everyLost: number): Promise<void> {
  let waiting: Promise<unknown>[] = []
  let seed = 1
  for (let at = START + 100; at < START + WINDOW_MS; at += SHOT_EVERY_MS) {
    for (let stream = 0; stream < STREAMS; stream += 1) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      if (seed / 2 ** 32 < 1 / everyLost) continue
      waiting.push(store.append(eventAt(domain, stream, at)))
      if (waiting.length >= 2_000) {
        await Promise.all(waiting)
        waiting = []
      }
    }
  }
  await Promise.all(waiting)
}

function eventAt(domain: string, stream: number, at: number): NewEvent {
  const body = Buffer.from(
    JSON.stringify({
      DomainName: domain,
      AppName: 'live',
      StreamName: `s${stream}`,
      OssEndpoint: 'oss-cn-shanghai.aliyuncs.com',
      OssBucket: 'pictures',
      OssObject: objectOf(stream, at),
      CreateTimestamp: at,
    }),
  )
  const id = eventId({ domain, body, signedAt: null })
  return { id, domain, origin: 'callback', receivedAt: at + 100, occurredAt: at, body }
}

function objectOf(stream: number, at: number): string {
  return `live/s${stream}/${at}.jpg`
}

/** A provider that lists all of it, and counts pages as calls. */
function listsOf(calls: { pushes: number; shots: number }): SnapshotLists {
  return {
    async pushes() {
      calls.pushes += 1
      return Array.from({ length: STREAMS }, (_, stream) => ({
        ...{ app: 'live', stream: `s${stream}`, from: START - 1, until: null },
      }))
    },
    async shots({ stream }, { from, until }) {
      const shots: ListedShot[] = []
      const number = Number(stream.slice(1))
      const first = START + 100 + Math.ceil((from - START - 100) / SHOT_EVERY_MS) * SHOT_EVERY_MS
      const last = Math.min(until, START + WINDOW_MS)
      for (let at = Math.max(first, START + 100); at < last; at += SHOT_EVERY_MS) {
        shots.push({
          ...{ at, object: objectOf(number, at), bucket: 'pictures', isOverlay: false },
          ...{ endpoint: null, createTime: null, createTimestamp: at },
        })
      }
      calls.shots += Math.max(1, Math.ceil(shots.length / 100))
      return shots
    },
  }
}

/** Appends for a while, many at a time. Returns how many a second. */
async function ingest(domain: string): Promise<number> {
  const end = performance.now() + INGEST_SECONDS * 1_000
  let n = 0
  const work = async () => {
    while (performance.now() < end) {
      n += 1
      await store.append(eventAt(domain, n % 500, NOW + n * 5))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  return n / INGEST_SECONDS
}

/** Compares the quarter of an hour again and again, as a service does with the parts of a day. */
async function compareOn(signal: AbortSignal): Promise<void> {
  const range = { from: START, until: START + WINDOW_MS }
  const lists = listsOf({ pushes: 0, shots: 0 })
  const pushes = await lists.pushes('', range, never)
  while (!signal.aborted) {
    // Each window begins with a list of pushes, of which there is one a second at most.
    await systemClock.sleep(1_000, signal)
    if (signal.aborted) return
    const deps = { store, lists, intervals: createIntervals(), clock: systemClock }
    await compare(deps, { domain: 'whole.example.com', range, pushes }, signal).catch(() => {})
  }
}
