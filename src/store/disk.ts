// The disk that a store is on: files and folders that we make, and the room that there is. A new
// folder is synced into its parent, as a file that was synced itself can still be lost with the
// entry that leads to it.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ServiceError } from '../errors.ts'

/** More links than this in a row are a circle, as for the kernel. */
const MAX_LINKS = 40

/** Makes the folder that `file` is to be in, and those above it, where they are missing. */
export function makeFolderOf(file: string): void {
  makeFolder(dirname(resolve(file)))
}

/**
 * One folder after the other: the recursive `mkdir` of Node.js never ends where a file system says
 * that a folder is missing although it is there, as below `/proc`.
 */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (cause) {
    // Somebody else was faster.
    if (isFolder(folder)) return
    const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
    throw new ServiceError(
      `The folder ${folder} for the store can't be made${why}: name another path, or make it yourself.`,
      { code: 'store_unavailable', cause },
    )
  }
  syncFolderOf(folder)
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Syncs the folder that `file` is in, so that its entry outlives a power cut. */
export function syncFolderOf(file: string): void {
  syncFile(dirname(resolve(file)))
}

/** Syncs a file or a folder to its disk. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * The path of the file that `path` leads to, over symbolic links, whether it is there or is still to
 * be made: what stands beside a store stands beside the file, by whatever name that was opened.
 */
export function realFile(path: string): string {
  let file = resolve(path)
  for (let links = 0; links < MAX_LINKS; links += 1) {
    file = join(realFolder(dirname(file)), basename(file))
    const target = linkTarget(file)
    if (target === undefined) return file
    file = resolve(dirname(file), target)
  }
  return file
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    // Still to be made.
    return folder
  }
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    return undefined
  }
}

/** What the store at `path` could take, in bytes: what it takes now, and what is free. */
export function roomFor(path: string): number {
  const real = realFile(path)
  const { bavail, bsize } = statfsSync(dirname(real))
  const taken = [real, `${real}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size)
  return bavail * bsize + taken.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}
