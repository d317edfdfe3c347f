// Appends one million events to a store on disk and prints what the process weighs and what an
// append costs on the way.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { understand } from '../src/core/events/callback.ts'
import { eventOf } from '../src/core/events/snapshot-event.ts'
import { secretFrom } from '../src/core/keys/notify-key.ts'
import { createSeals } from '../src/store/sealed-rings/seal.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { bodyOf, DOMAIN } from './tools/callback.ts'

const MILESTONES = [10_000, 100_000, 1_000_000]
/** As many as the busiest run of the load has connections. */
const CONCURRENT = 256
/** The cost is taken over the last so many events before a milestone. */
const WINDOW = 10_000

const folder = mkdtempSync(join(tmpdir(), 'snaphook-bench-'))
const store = await openSqliteStore({
  path: join(folder, 'snaphook.db'),
  seals: createSeals([secretFrom(new Uint8Array(32).fill(1))]),
  now: Date.now,
})

let next = 0
async function appendUpTo(count: number): Promise<void> {
  const lane = async (): Promise<void> => {
    while (next < count) {
      const body = bodyOf(next++)
      const receivedAt = Date.now()
      const timestamp = String(Math.floor(receivedAt / 1000))
      const callback = { domain: DOMAIN, timestamp, body, receivedAt }
      const understood = understand(body, DOMAIN, receivedAt)
      await store.append(eventOf(callback, understood), understood)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, lane))
}

for (const milestone of MILESTONES) {
  await appendUpTo(milestone - WINDOW)
  const begun = performance.now()
  await appendUpTo(milestone)
  const microseconds = ((performance.now() - begun) * 1000) / WINDOW
  const megabytes = process.memoryUsage().rss / 2 ** 20
  console.log(
    `${String(milestone).padStart(9)} events  ${microseconds.toFixed(1).padStart(6)} µs per append  ${megabytes.toFixed(0).padStart(4)} MiB RSS`,
  )
}
await store.close()
rmSync(folder, { recursive: true })
