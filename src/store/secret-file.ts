// The secret beside the store, made at the first start. It appears whole or not at all: it is
// written and synced under another name and then linked, which fails for all but one of several
// starters, and all of them read back the one that won.
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { MIN_SECRET_BYTES, parseSecret } from '../core/keys/notify-key.ts'
import { ServiceError } from '../errors.ts'
import { makeFolderOf, syncFolderOf } from './disk.ts'

/** Enough that two starters never write to the same temporary file. */
const SUFFIX_BYTES = 8
/** Read and write for its owner, nothing for anybody else. */
const OWNER_ONLY = 0o600

type RandomBytes = (size: number) => Uint8Array

/** The text of the secret file at `path`, which is made if it is missing; see `loadSecret`. */
export function loadOrCreateSecret(path: string, randomBytes: RandomBytes): string {
  const secret = loadSecret(path)
  if (secret !== undefined) return secret
  try {
    create(path, randomBytes)
  } catch (cause) {
    throw unusable(path, `can't be made (${codeOf(cause)}): make its folder writable`, cause)
  }
  return loadOrCreateSecret(path, randomBytes)
}

/**
 * The text of the secret file at `path`, one secret or several with commas between, newest first;
 * undefined where there is no such file. Throws `secret_unusable` for a file that holds none.
 */
export function loadSecret(path: string): string | undefined {
  const text = read(path)
  if (text === undefined) return undefined
  if (text.split(',').every((each) => parseSecret(each.trim()))) return text
  const expected = `base64url of ${MIN_SECRET_BYTES} bytes or more`
  throw unusable(path, `does not hold ${expected}: restore it, or delete it to have a new one made`)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw unusable(path, `can't be read (${codeOf(cause)}): check its permissions`, cause)
  }
}

function create(path: string, randomBytes: RandomBytes): void {
  makeFolderOf(path)
  const temporary = `${path}.${Buffer.from(randomBytes(SUFFIX_BYTES)).toString('hex')}.tmp`
  const descriptor = openSync(temporary, 'wx', OWNER_ONLY)
  try {
    writeSync(descriptor, `${Buffer.from(randomBytes(MIN_SECRET_BYTES)).toString('base64url')}\n`)
    fsyncSync(descriptor)
    linkUnlessThere(temporary, path)
  } finally {
    closeSync(descriptor)
    unlinkSync(temporary)
  }
  syncFolderOf(path)
}

function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

function unusable(path: string, problem: string, cause?: unknown): ServiceError {
  return new ServiceError(`The secret file ${path} ${problem}.`, { code: 'secret_unusable', cause })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
