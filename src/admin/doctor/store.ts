// Whether the store can be written and how long a sync takes. Where there is no store yet, another
// file is tried in its place and removed again.
import { existsSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describeError } from '../../errors.ts'
import type { Store } from '../../ports/store.ts'
import { findingsOf } from './finding.ts'

const { ok, warning, problem } = findingsOf('store')

/** Enough for a median that one slow sync does not move. */
const SYNCS = 11
/** A callback waits for one sync, often two; the provider gives up after 5 s. */
const SLOW_MS = 100
/** What SQLite leaves beside a file that it had open. */
const SIDE_FILES = ['', '-wal', '-shm']

/** Opens the store at a path, making it where it is missing. */
export type OpenStore = (path: string) => Promise<Store>

export async function checkStore(path: string, open: OpenStore, elapsed: () => number) {
  const exists = existsSync(path)
  const tried = exists ? path : `${path}.doctor`
  const missing = missingFolders(path)
  try {
    const medianMs = await measureSync(() => open(tried), elapsed)
    const detail = `${exists ? 'writable' : 'not there yet, and can be made'}; a sync takes ${medianMs.toFixed(1)} ms`
    if (medianMs <= SLOW_MS) return ok(path, detail)
    return warning(path, detail, 'put the store on a faster disk')
  } catch (error) {
    return problem(path, describeError(error), 'callbacks are answered 503 until this is mended')
  } finally {
    if (!exists) for (const suffix of SIDE_FILES) rmSync(tried + suffix, { force: true })
    for (const folder of missing) removeEmpty(folder)
  }
}

/** The folders that would have to be made for `path`, the innermost first. */
function missingFolders(path: string): string[] {
  const folder = dirname(resolve(path))
  return existsSync(folder) ? [] : [folder, ...missingFolders(folder)]
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // It could not be made, or somebody else has put something there meanwhile.
  }
}

/** The median of some syncs, in ms. */
async function measureSync(open: () => Promise<Store>, elapsed: () => number): Promise<number> {
  const store = await open()
  try {
    const times: number[] = []
    for (let sync = 0; sync < SYNCS; sync += 1) {
      const begun = elapsed()
      await store.checkWritable()
      times.push(elapsed() - begun)
    }
    return times.toSorted((a, b) => a - b)[Math.floor(SYNCS / 2)] as number
  } finally {
    await store.close()
  }
}
