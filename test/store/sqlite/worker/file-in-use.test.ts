// A store whose file is moved or deleted while it is open: nothing is acknowledged from then on, and
// what was acknowledged before is found after an orderly end.
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packEvents, type Write } from '../../../../src/store/sqlite/messages.ts'
import { openDatabase } from '../../../../src/store/sqlite/worker/database.ts'
import { eventOf } from '../../../support/store/store-events.ts'
import { temporaryFolder } from '../../../support/store/store-fixtures.ts'

const DAMAGED = {
  code: 'store_damaged',
  message: expect.stringMatching(/was moved or deleted while it was in use: put it back/),
}

function openWithOneEvent(path = join(temporaryFolder(), 'snaphook.db')) {
  const database = openDatabase({ path, readOnly: false })
  const commit = (n: number, writes: Write[] = []) =>
    database.commit({ events: packEvents([eventOf(n)]), writes })
  expect(commit(1).seqs).toEqual([1])
  return { path, database, commit }
}

function readAgain(path: string) {
  const database = openDatabase({ path, readOnly: true })
  const stats = database.stats()
  database.close()
  return stats
}

test('moved: the very next commit is refused, and an orderly end keeps what was acknowledged', () => {
  const { path, database, commit } = openWithOneEvent()
  renameSync(path, `${path}.away`)
  const cursor: Write = { kind: 'cursor', sink: 'stdout', seq: 1, at: 0 }
  expect(commit(2, [cursor])).toMatchObject({ seqs: [DAMAGED], writes: [DAMAGED] })
  expect(() => database.probe()).toThrow(expect.objectContaining(DAMAGED))
  database.close()
  expect(existsSync(path)).toBe(false)
  expect(readAgain(`${path}.away`).events).toBeGreaterThanOrEqual(1)
})

test('another file in its place: the same', () => {
  const { path, database, commit } = openWithOneEvent()
  renameSync(path, `${path}.away`)
  writeFileSync(path, 'another')
  expect(commit(2)).toMatchObject({ seqs: [DAMAGED] })
  database.close()
  expect(readAgain(`${path}.away`).events).toBeGreaterThanOrEqual(1)
})

test('deleted: an orderly end writes what was acknowledged to its path once more', () => {
  const { path, database, commit } = openWithOneEvent()
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
  expect(commit(2)).toMatchObject({ seqs: [DAMAGED] })
  database.close()
  expect(readAgain(path).events).toBeGreaterThanOrEqual(1)
})

test('deleted, and something is there by then: that is left as it is', () => {
  const { path, database } = openWithOneEvent()
  rmSync(path)
  mkdirSync(path)
  database.close()
  expect(existsSync(join(path, 'snaphook.db'))).toBe(false)
})

test('by a symbolic link: the log beside the real file is read, also where that is still to be made', () => {
  const folder = temporaryFolder()
  const [real, link] = [join(folder, 'real', 'snaphook.db'), join(folder, 'link.db')]
  symlinkSync(join('real', 'snaphook.db'), link)
  const { database } = openWithOneEvent(link)
  expect(readAgain(link).events).toBe(1)
  expect(readAgain(real).events).toBe(1)
  database.close()
})

test('a circle of links is refused in words', () => {
  const folder = temporaryFolder()
  symlinkSync('b.db', join(folder, 'a.db'))
  symlinkSync('a.db', join(folder, 'b.db'))
  const path = join(folder, 'a.db')
  expect(() => openDatabase({ path, readOnly: false })).toThrow(
    expect.objectContaining({ code: 'store_unavailable' }),
  )
})
