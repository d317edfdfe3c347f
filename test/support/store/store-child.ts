// Runs parts of a store in a process of their own, for tests about several processes and about
// processes that die: `node store-child.ts <command> <path> [<holder>]`.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { understand } from '../../../src/core/events/callback.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { loadOrCreateSecret } from '../../../src/store/secret-file.ts'
import { acquireLock } from '../../../src/store/sqlite/lock.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { eventOf, SECRET } from './store-events.ts'

const APPENDERS = 8
const SHOT_LANES = 128
const SHOT_STREAMS = 40
/** Longer than any test: the child ends by being killed. */
const FOR_EVER_MS = 3_600_000

const [command, path = '', holder = ''] = process.argv.slice(2)
switch (command) {
  case 'append':
    await appendForEver()
    break
  case 'shots':
    await appendShots()
    break
  case 'open':
    await openOnce()
    break
  case 'lock':
    await holdLock()
    break
  case 'secret':
    console.log(loadOrCreateSecret(path, randomBytes))
    break
}

/** Prints each seq once its event is acknowledged. */
async function appendForEver(): Promise<void> {
  const store = await open()
  let next = 0
  const append = async () => {
    for (;;) {
      const n = next++
      const { seq } = await store.append(eventOf(n))
      console.log(`${seq} ${n}`)
    }
  }
  await Promise.all(Array.from({ length: APPENDERS }, append))
}

/** Shots of some streams, for ever; prints each seq. */
async function appendShots(): Promise<void> {
  const store = await open()
  let next = 0
  const append = async () => {
    for (;;) {
      const n = next++
      const stream = `s${n % SHOT_STREAMS}`
      const receivedAt = 1_700_000_000_000 + n * 100
      const shot = { AppName: 'live', StreamName: stream, CreateTimestamp: receivedAt - (n % 7) }
      const body = Buffer.from(JSON.stringify({ ...shot, OssObject: `o/${n}` }))
      const understood = understand(body, 'live.example.com', receivedAt)
      const event = eventOf(n, { receivedAt, occurredAt: receivedAt, body })
      console.log((await store.append(event, understood)).seq)
    }
  }
  await Promise.all(Array.from({ length: SHOT_LANES }, append))
}

async function openOnce(): Promise<void> {
  const store = await open()
  console.log(await store.pragma('user_version'))
  await store.close()
}

async function holdLock(): Promise<void> {
  const { signal } = new AbortController()
  const clock = {
    now: Date.now,
    elapsed: () => performance.now(),
    sleep: (ms: number) => sleep(ms),
  }
  await acquireLock(path, { holder, clock, signal })
  console.log('held')
  await sleep(FOR_EVER_MS)
}

function open() {
  return openSqliteStore({ path, seals: createSeals([SECRET]), now: Date.now })
}
