// How much room the disk of a store has.
import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { realFile } from './folder.ts'

/** What the store at `path` could take, in bytes: what it takes now, and what is free. */
export function roomFor(path: string): number {
  const real = realFile(path)
  const { bavail, bsize } = statfsSync(dirname(real))
  const taken = [real, `${real}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size)
  return bavail * bsize + taken.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}
