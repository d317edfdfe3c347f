// What pruning costs those who wait for an append meanwhile, and whether the store levels off under
// steady load, with a sink that takes nothing.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../src/app/system-clock.ts'
import { understand } from '../src/core/events/callback.ts'
import { eventOf } from '../src/core/events/snapshot-event.ts'
import { secretFrom } from '../src/core/keys/notify-key.ts'
import { createJanitor } from '../src/flows/retain/janitor.ts'
import { createSeals } from '../src/store/sealed-rings/seal.ts'
import { soleOwner } from '../src/store/sole-owner.ts'
import { openSqliteStore, type SqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { bodyOf, DOMAIN } from './tools/callback.ts'
import { makeFolder } from './tools/processes.ts'

const BACKLOG = 200_000
/** Of the load beside which the backlog is pruned: one event each so many ms, each waited for. */
const APPEND_EVERY_MS = 2
/** How often to look whether all is pruned. */
const OLDEST_EVERY_MS = 50
const QUIET_MS = 3_000
/** The bound on how long a step of pruning may hold an append. */
const MAX_HELD_MS = 50
const SOAK_EVENTS = 200_000
const SOAK_ROUNDS = 8
const SOAK_MAX_BYTES = 20e6
const CONCURRENT = 256
const DAY_MS = 86_400_000

let shots = 0
async function append(store: SqliteStore): Promise<void> {
  const receivedAt = Date.now()
  const body = bodyOf(shots++)
  const timestamp = String(Math.floor(receivedAt / 1000))
  await store.append(
    eventOf({ domain: DOMAIN, timestamp, body, receivedAt }, understand(body, DOMAIN, receivedAt)),
  )
}

async function appendMany(store: SqliteStore, count: number): Promise<void> {
  let left = count
  const lane = async () => {
    while (left-- > 0) await append(store)
  }
  await Promise.all(Array.from({ length: CONCURRENT }, lane))
}

/** How long each append took, in ms, until `done`. */
async function latencies(store: SqliteStore, done: () => Promise<boolean>): Promise<number[]> {
  const taken: number[] = []
  let isDone = false
  const watching = done().then(() => {
    isDone = true
  })
  while (!isDone) {
    const begun = performance.now()
    await append(store)
    taken.push(performance.now() - begun)
    await pause(APPEND_EVERY_MS)
  }
  await watching
  return taken.sort((a, b) => a - b)
}

function show(what: string, taken: readonly number[]): void {
  const at = (share: number) => (taken[Math.floor(share * (taken.length - 1))] ?? 0).toFixed(1)
  console.log(
    `${what.padEnd(24)} ${taken.length} appends: median ${at(0.5)}, p99 ${at(0.99)}, worst ${at(1)} ms`,
  )
}

async function open(folder: string, retentionMs: number, maxBytes: number) {
  const path = join(folder, `${retentionMs}.db`)
  const seals = createSeals([secretFrom(new Uint8Array(32).fill(1))])
  const store = await openSqliteStore({ path, seals, now: Date.now })
  const stopped = new AbortController()
  const steps: number[] = []
  let expired = 0
  let usedBytes = 0
  const janitor = createJanitor({
    store: {
      ...store,
      async prune(step) {
        const pruned = await store.prune(step)
        steps.push(1_000 * pruned.seconds)
        return pruned
      },
    },
    leases: soleOwner,
    sinks: ['bench'],
    retentionMs,
    retentionMaxMs: 30 * DAY_MS,
    maxBytes,
    onExpired: () => undefined,
    clock: systemClock,
    metrics: {
      storeSize: (bytes) => {
        usedBytes = bytes
      },
      expired: (_, events) => {
        expired += events
      },
    },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
  return {
    path,
    store,
    steps,
    expired: () => expired,
    usedBytes: () => usedBytes,
    tidy: () => janitor.run(stopped.signal),
    async close() {
      stopped.abort()
      await store.close()
    },
  }
}

const folder = makeFolder()
{
  const it = await open(folder.path, 1, 1e12)
  await appendMany(it.store, BACKLOG)
  await it.store.advanceCursor('bench', BACKLOG)
  await pause(2)
  const before = await latencies(it.store, async () => {
    await pause(QUIET_MS)
    return true
  })
  show('without pruning', before)
  const begun = performance.now()
  const running = it.tidy()
  const during = await latencies(it.store, async () => {
    while ((await oldest(it.store)) <= BACKLOG) await pause(OLDEST_EVERY_MS)
    return true
  })
  const seconds = (performance.now() - begun) / 1000
  show('while it is pruned', during)
  console.log(`${BACKLOG} events pruned in ${seconds.toFixed(1)} s`)
  const worst = Math.max(...it.steps)
  console.log(
    `longest of ${it.steps.length} steps: ${worst.toFixed(1)} ms (at most ${MAX_HELD_MS})`,
  )
  if (worst > MAX_HELD_MS) process.exitCode = 1
  await it.close()
  await running
}
{
  const it = await open(folder.path, DAY_MS, SOAK_MAX_BYTES)
  const running = it.tidy()
  for (let round = 1; round <= SOAK_ROUNDS; round += 1) {
    await appendMany(it.store, SOAK_EVENTS / SOAK_ROUNDS)
    const size = statSync(it.path).size
    console.log(
      `${String((round * SOAK_EVENTS) / SOAK_ROUNDS).padStart(8)} events  used ${(it.usedBytes() / 1e6).toFixed(1)} MB, file ${(size / 1e6).toFixed(1)} MB of ${SOAK_MAX_BYTES / 1e6}, ${it.expired()} expired`,
    )
  }
  await it.close()
  await running
}
folder.remove()

async function oldest(store: SqliteStore): Promise<number> {
  return (await store.read(0, 1))[0]?.seq ?? Number.POSITIVE_INFINITY
}
