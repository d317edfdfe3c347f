// The folder of a file that we make. A new folder is synced into its parent, as a file that was
// synced itself can still be lost with the entry that leads to it.
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
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
