// Calls and time of an audit of many streams, whole and with one callback in a hundred lost.
import { join } from 'node:path'
import { secretFrom } from '../../src/core/keys/notify-key.ts'
import { auditWindow } from '../../src/flows/audit/audit-window.ts'
import { createIntervals } from '../../src/flows/audit/intervals.ts'
import { createSeals } from '../../src/store/sealed-rings/seal.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { makeFolder } from '../tools/processes.ts'
import { listsOf, type Shots, START, writeLog } from './lists.ts'

const STREAMS = 2_000
const LENGTH_MS = 15 * 60_000
const MARGIN_MS = 5 * 60_000

export async function run(): Promise<void> {
  for (const [domain, everyLost] of [
    ['whole.example.com', '0'],
    ['lossy.example.com', '100'],
  ] as const) {
    await audit({ domain, everyLost, streams: STREAMS, lengthMs: LENGTH_MS })
  }
}

async function audit(shots: Shots): Promise<void> {
  const { domain } = shots
  const folder = makeFolder()
  const path = join(folder.path, 'snaphook.db')
  writeLog(path, shots)
  const seals = createSeals([secretFrom(new Uint8Array(32).fill(1))])
  const store = await openSqliteStore({ path, seals, now: Date.now })
  try {
    await store.beginTaking([domain], START)
    const calls = { pushes: 0, shots: 0 }
    const found = { missed: 0, windows: 0 }
    const begun = performance.now()
    const used = process.cpuUsage()
    const deps = {
      ...{ store, lists: listsOf(shots, calls), intervals: createIntervals() },
      marginMs: MARGIN_MS,
    }
    for (;;) {
      const record = await store.loadAudit(domain)
      if (record === null) throw new TypeError('not begun')
      const now = START + LENGTH_MS + MARGIN_MS
      const outcome = await auditWindow(deps, record, now, new AbortController().signal)
      if (outcome.kind !== 'filled') break
      found.windows += 1
      found.missed += outcome.missed
    }
    const { user, system } = process.cpuUsage(used)
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
    console.log(
      `${domain}: ${STREAMS} streams, a quarter of an hour in ${found.windows} windows: ${calls.pushes} lists of pushes, ${calls.shots} of shots, ${found.missed} missed, ${seconds} s without the provider's and in a hurry, of that ${((user + system) / 1e6).toFixed(1)} s on a processor`,
    )
  } finally {
    await store.close()
    folder.remove()
  }
}
