// What the linter can't say of the tree: how big a room and a file may be, and that the event loop's
// side takes nothing but types from what runs in the store's thread.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** More is more than one subject. */
const MAX_FILES_IN_A_FOLDER = 16
/** More is more than one idea. */
const MAX_LINES_OF_A_FILE = 300

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** All files of a folder, by their paths from the root. */
function filesOf(folder: string): string[] {
  return readdirSync(ROOT + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
}

const files = ['src', 'test', 'bench'].flatMap(filesOf)

test('no folder holds more than one person can keep in mind', () => {
  const byFolder = Map.groupBy(files, (file) => file.replace(/\/?[^/]*$/, ''))
  const crowded = [...byFolder].filter(([, within]) => within.length > MAX_FILES_IN_A_FOLDER)
  expect(crowded.map(([folder, within]) => `${folder}: ${within.length} files`)).toEqual([])
})

test('no file is longer than one idea', () => {
  const long = files
    // A list of cases for another program is as long as there are cases.
    .filter((file) => !file.endsWith('.yaml'))
    .map((file) => ({ file, lines: readFileSync(ROOT + file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES_OF_A_FILE)
  expect(long).toEqual([])
})

test('the event loop takes only types from the thread of the store', () => {
  const inThread = /^src\/store\/sqlite\/(?:worker|tables|streams)\//
  const outside = filesOf('src').filter((file) => file.endsWith('.ts') && !inThread.test(file))
  const crossing = outside.flatMap((file) =>
    [...readFileSync(ROOT + file, 'utf8').matchAll(/^import (?!type ).*'(.*)'$/gm)]
      .map(([, from = '']) => from)
      .filter((from) => from.startsWith('.') && inThread.test(normalize(join(dirname(file), from))))
      .map((from) => `${file} imports ${from}`),
  )
  expect(crossing).toEqual([])
})
