// Folders that a store is in, made one by one.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { makeFolderOf } from '../../src/store/disk.ts'
import { temporaryFolder } from '../support/store/store-fixtures.ts'

test('makes what is missing, and leaves what is there', () => {
  const folder = join(temporaryFolder(), 'a', 'b')
  makeFolderOf(join(folder, 'store.db'))
  makeFolderOf(join(folder, 'store.db'))
  expect(existsSync(folder)).toBe(true)
})

// Below /proc the system says that a folder which is there is missing, on and on.
test.skipIf(!existsSync('/proc/1'))('below /proc: one sentence, at once', () => {
  expect(() => makeFolderOf('/proc/1/snaphook/store.db')).toThrow(
    new ServiceError(
      "The folder /proc/1/snaphook for the store can't be made (ENOENT): name another path, or make it yourself.",
      { code: 'store_unavailable' },
    ),
  )
})

test('below a file: the same', () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  expect(() => makeFolderOf(join(file, 'a', 'store.db'))).toThrow(/The folder .*file for the store/)
})
