// What a disk does to a service: callbacks are refused for as long as nothing can be kept, the
// process stays up and says what to do, and goes on by itself; a damaged store is left as it is.
// Tests run as root, so that room and permissions are taken away by SQLite's own means.
import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSqliteStore, type SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import { keyOf, readiness, type Stage, setStage, settled } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const PAGE_BYTES = 4_096
/** Lifts `max_page_count`: the most that SQLite can hold. */
const NO_LIMIT = 4_294_967_294
let shot = 0

async function serveOn(stage: Stage) {
  let store: SqliteStore | undefined
  const service = await serveHere(
    stage,
    {},
    {
      openStore: async (options) => {
        store = await openSqliteStore(options)
        return store
      },
    },
  )
  await settled(service)
  const send = (padding = '') =>
    sendCallback(stage.callbackUrl(), { key: keyOf(0), body: `{"n":${++shot},"x":"${padding}"}` })
  const said = (msg: string) => service.log().filter((line) => line.msg === msg)
  return {
    service,
    store: store as SqliteStore,
    path: stage.storePath,
    send,
    said,
    async isRefused(advice: RegExp): Promise<void> {
      const { status, headers } = await send('x'.repeat(PAGE_BYTES))
      expect([status, headers['retry-after']]).toEqual([503, '1'])
      const { reasons, ...ready } = await readiness(service)
      expect(ready).toMatchObject({ status: 503, store: 'failing' })
      expect(reasons).toEqual([expect.stringMatching(advice)])
      const refused = said('callbacks are refused, since the store fails')
      expect(refused).toMatchObject([{ level: 'error', reason: expect.stringMatching(advice) }])
    },
  }
}

test.each([
  ['is full', 'max_page_count = 1', `max_page_count = ${NO_LIMIT}`, /is full: make room/],
  ['is read-only', 'query_only = on', 'query_only = off', /can't be written to: check/],
])('a disk that %s: 503 until it is so no more', async (_, trouble, remedy, advice) => {
  await using stage = await setStage()
  const it = await serveOn(stage)
  await using _service = it.service
  expect(await it.send()).toMatchObject({ status: 200 })
  await it.store.pragma(trouble)
  await until('the store to be in trouble', async () => {
    const { status } = await it.send('x'.repeat(PAGE_BYTES))
    return status === 503
  })
  await it.isRefused(advice)
  await it.store.pragma(remedy)
  expect(await it.send()).toMatchObject({ status: 200 })
  expect(await readiness(it.service)).toMatchObject({ status: 200, reasons: [] })
  expect(it.said('the store takes events again')).toHaveLength(1)
})

test('a damaged store: 503 from then on, and it is never made anew', async () => {
  await using stage = await setStage()
  const it = await serveOn(stage)
  {
    await using _service = it.service
    expect(await it.send()).toMatchObject({ status: 200 })
    await it.store.pragma('wal_checkpoint(truncate)')
    await it.store.pragma('shrink_memory')
    const file = openSync(it.path, 'r+')
    const rest = statSync(it.path).size - PAGE_BYTES
    writeSync(file, Buffer.alloc(rest, 0xa5), 0, rest, PAGE_BYTES)
    closeSync(file)
    await it.isRefused(/is damaged: restore it from a backup, or move it away/)
    await it.isRefused(/is damaged/)
  }
  const left = readFileSync(it.path)
  await expect(serveHere(stage)).rejects.toMatchObject({
    // Noticed as it is opened, or as it is read.
    code: expect.toBeOneOf(['store_damaged', 'store_unavailable']),
    message: `The store ${it.path} is damaged: restore it from a backup, or move it away to start anew.`,
  })
  expect(readFileSync(it.path).equals(left)).toBe(true)
})

test('a store that was moved away: 503, since what is written there would be lost', async () => {
  await using stage = await setStage()
  const it = await serveOn(stage)
  await using _service = it.service
  expect(await it.send()).toMatchObject({ status: 200 })
  renameSync(it.path, `${it.path}.away`)
  // From the very next one on: a callback that is answered 200 is kept.
  await it.isRefused(/was moved or deleted while it was in use: put it back/)
})
