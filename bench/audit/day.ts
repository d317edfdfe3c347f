// What comparing a day of 500 streams, as a service does it, does to the appends of callbacks: both
// in this process on one store, in rounds with and without it, in turns first. Each round compares another part of
// the day, and in every other one a callback in a thousand was lost.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { systemClock } from '../../src/app/system-clock.ts'
import { eventId, type NewEvent } from '../../src/core/events/snapshot-event.ts'
import { secretFrom } from '../../src/core/keys/notify-key.ts'
import { compare } from '../../src/flows/audit/compare.ts'
import { createIntervals } from '../../src/flows/audit/intervals.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { createSeals } from '../../src/store/sealed-rings/seal.ts'
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { makeFolder } from '../tools/processes.ts'
import { listsOf, START, writeLog } from './lists.ts'

const DAY_MS = 24 * 3_600_000
const HOUR_SHOTS = 720
const DAY = {
  domain: 'play.example.com',
  streams: 500,
  lengthMs: DAY_MS,
  everyLost: `iif(n / ${HOUR_SHOTS} % 2, 1000, 0)`,
}
/** A fifteenth of the audit's windows for so many streams: a round then sees all parts of several. */
const WINDOW_MS = 66_000
const LOOK_BACK_MS = 33_000
const ROUNDS = 12
const ROUND_SECONDS = 1.5
const IN_FLIGHT = 64
const HURRY_WINDOWS = 12
const never = new AbortController().signal

export async function run(): Promise<void> {
  const folder = makeFolder()
  const path = join(folder.path, 'snaphook.db')
  const begun = performance.now()
  writeLog(path, DAY)
  // What is still to be written of it would hold up the first rounds.
  spawnSync('sync', [path])
  const seals = createSeals([secretFrom(new Uint8Array(32).fill(1))])
  const store = await openSqliteStore({ path, seals, now: Date.now })
  try {
    const { events } = await store.stats()
    console.log(`${events} events of a day, written in ${secondsSince(begun)} s`)
    await hurry(store)
    await ingest(store, 'warm')
    const rounds: { alone: Round; beside: Round; ratio: number }[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const beside = async () => {
        const stop = new AbortController()
        const comparing = compareOn(store, partOf(round), stop.signal)
        const measured = await ingest(store, `beside-${round}`)
        stop.abort()
        return { ...measured, compared: await comparing }
      }
      const alone = () => ingest(store, `alone-${round}`)
      // Whoever comes second finds a warmer machine, or a fuller disk.
      const [first, second] = round % 2 ? [await beside(), await alone()] : [await alone(), null]
      const pair = second === null ? { alone: first, beside: await beside() } : undefined
      const both = pair ?? { alone: second as Round, beside: first }
      const ratio = both.beside.perSecond / both.alone.perSecond
      rounds.push({ ...both, ratio })
      const { compared = 0 } = both.beside
      console.log(
        `round ${round + 1}: ${shown(both.alone)} alone, ${shown(both.beside)} beside (${compared} events compared): ${ratio.toFixed(3)}`,
      )
    }
    const sum = (of: 'alone' | 'beside') =>
      rounds.reduce((total, each) => total + each[of].perSecond, 0)
    const sorted = rounds.map(({ ratio }) => ratio).toSorted((a, b) => a - b)
    console.log(
      `appends beside a comparison, of those alone: ${(sum('beside') / sum('alone')).toFixed(3)} in all, ${(sorted[ROUNDS >> 1] as number).toFixed(3)} in the middle`,
    )
  } finally {
    await store.close()
    folder.remove()
  }
}

type Round = {
  readonly perSecond: number
  /** Processor time of all threads, by append. */
  readonly us: number
  readonly compared?: number
}

function shown({ perSecond, us }: Round): string {
  return `${Math.round(perSecond)}/s at ${us.toFixed(1)} µs`
}

/** Some windows without a pause: what they cost, and what the day does. */
async function hurry(store: SqliteStore): Promise<void> {
  const used = process.cpuUsage()
  const reading = counted(store)
  for (let window = 0; window < HURRY_WINDOWS; window += 1) {
    const from = START + (window * DAY_MS) / HURRY_WINDOWS
    await compareWindow(reading, from, undefined, never)
  }
  const { user, system } = process.cpuUsage(used)
  const us = (user + system) / reading.events
  const dayEvents = (DAY_MS / 5_000) * DAY.streams * (1 + LOOK_BACK_MS / WINDOW_MS)
  console.log(
    `compared in a hurry: ${us.toFixed(1)} µs an event on a processor; ${((us * dayEvents) / 1e6).toFixed(0)} s for the day`,
  )
}

/** Appends for a while, many at a time. */
async function ingest(store: SqliteStore, stream: string): Promise<Round> {
  const begun = performance.now()
  const end = begun + ROUND_SECONDS * 1_000
  const used = process.cpuUsage()
  let n = 0
  const work = async () => {
    while (performance.now() < end) {
      n += 1
      await store.append(eventOf(stream, n))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  const { user, system } = process.cpuUsage(used)
  return { perSecond: (n / (performance.now() - begun)) * 1_000, us: (user + system) / n }
}

function eventOf(stream: string, n: number): NewEvent {
  const domain = 'ingest.example.com'
  const at = START + 2 * DAY_MS + n * 5
  const body = Buffer.from(
    JSON.stringify({
      ...{ DomainName: domain, AppName: stream, StreamName: `s${n % 500}` },
      ...{ OssEndpoint: 'oss-cn-shanghai.aliyuncs.com', OssBucket: 'pictures' },
      ...{ OssObject: `live/s${n % 500}/${at}.jpg`, CreateTimestamp: at },
    }),
  )
  const id = eventId({ domain, body, signedAt: null })
  return { id, domain, origin: 'callback', receivedAt: at + 100, occurredAt: at, body }
}

function partOf(round: number): number {
  return START + (round * DAY_MS) / ROUNDS + LOOK_BACK_MS
}

/** Compares window after window, as a service does. Resolves with how many events it looked at. */
async function compareOn(store: SqliteStore, from: number, signal: AbortSignal): Promise<number> {
  const reading = counted(store)
  for (let window = 0; !signal.aborted; window += 1) {
    // Each window begins with a list of pushes, of which there is one a second at most.
    if (window > 0) await systemClock.sleep(1_000, signal)
    const at = from + window * WINDOW_MS
    await compareWindow(reading, at, systemClock, signal).catch(() => undefined)
  }
  return reading.events
}

async function compareWindow(
  store: ReturnType<typeof counted>,
  from: number,
  clock: Clock | undefined,
  signal: AbortSignal,
): Promise<void> {
  const range = { from: from - LOOK_BACK_MS, until: from + WINDOW_MS }
  const lists = listsOf(DAY, { pushes: 0, shots: 0 })
  const pushes = await lists.pushes('', range, signal)
  const deps = { store, lists, intervals: createIntervals(), ...(clock && { clock }) }
  await compare(deps, { domain: DAY.domain, range, pushes }, signal)
}

/** The store, and how many events were surveyed in it. */
function counted(store: SqliteStore) {
  const reading = {
    events: 0,
    readKept: store.readKept,
    async surveyKept(query: Parameters<SqliteStore['surveyKept']>[0]) {
      const step = await store.surveyKept(query)
      reading.events += step.columns.kinds.length
      return step
    },
  }
  return reading
}

function secondsSince(begun: number): string {
  return ((performance.now() - begun) / 1_000).toFixed(0)
}
