// The disk that a store is on: the folders of files that we make, and the room that there is. A new
// folder is synced into its parent, as a file that was synced itself can still be lost with the
// entry that leads to it.
import { closeSync, fsyncSync, mkdirSync, openSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Makes the folder that `file` is to be in, and those above it, where they are missing. */
export function makeFolderOf(file: string): void {
  const folder = dirname(resolve(file))
  const topmost = mkdirSync(folder, { recursive: true })
  if (topmost === undefined) return
  for (let made = folder; made !== dirname(topmost); made = dirname(made)) syncFolderOf(made)
}

/** Syncs the folder that `file` is in, so that its entry outlives a power cut. */
export function syncFolderOf(file: string): void {
  const descriptor = openSync(dirname(resolve(file)), 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** What the store at `path` could take, in bytes: what it takes now, and what is free. */
export function roomFor(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path))
  const taken = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size)
  return bavail * bsize + taken.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}
