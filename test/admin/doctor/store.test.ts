import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkStore } from '../../../src/admin/doctor/store.ts'
import type { StorePlace } from '../../../src/core/store-place.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { eventOf, SECRET } from '../../support/store/store-events.ts'
import { openStore, temporaryFolder } from '../../support/store/store-fixtures.ts'

const seals = createSeals([SECRET])
const open = (path: string) => openSqliteStore({ path, seals, now: () => 0 })
const examine = () => Promise.reject(new TypeError('not a server'))
const at = (path: string): StorePlace => ({ kind: 'sqlite', path })

/** A disk that syncs in a millisecond. */
let ticks = 0
const elapsed = () => ++ticks

test('a store that is there: writable, with the time of a sync, and as it was', async () => {
  const path = join(temporaryFolder(), 'snaphook.db')
  const store = await openStore(path)
  await store.append(eventOf(1))
  const found = await checkStore(at(path), { open, examine, elapsed })
  expect(found).toMatchObject({ check: 'store', subject: path, next: null, result: 'ok' })
  expect(found.detail).toMatch(/^writable; a sync takes 1.0 ms$/)
  expect(await store.stats()).toEqual({ events: 1, lastSeq: 1 })
})

test('none yet: tries in its place and leaves nothing behind', async () => {
  const folder = temporaryFolder()
  const found = await checkStore(at(join(folder, 'new', 'data', 'snaphook.db')), {
    open,
    examine,
    elapsed,
  })
  expect(found).toMatchObject({ result: 'ok' })
  expect(found.detail).toContain('not there yet')
  expect(readdirSync(folder)).toEqual([])
})

test('a slow disk is a warning', async () => {
  let now = 0
  const slow = () => (now += 101)
  const found = await checkStore(at(join(temporaryFolder(), 's.db')), {
    open,
    examine,
    elapsed: slow,
  })
  expect(found).toMatchObject({ result: 'warning', detail: expect.stringContaining('101.0 ms') })
})

test.each([
  ['a folder in its place', (path: string) => mkdirSync(path)],
  ['another kind of file', (path: string) => writeFileSync(path, 'not a database at all')],
])('%s is a problem, and stays', async (_, make) => {
  const folder = temporaryFolder()
  const path = join(folder, 'snaphook.db')
  make(path)
  const found = await checkStore(at(path), { open, examine, elapsed })
  expect(found).toMatchObject({ result: 'problem', detail: expect.stringContaining(path) })
  expect(readdirSync(folder)).toContain('snaphook.db')
})
