// Whether the store can be written and how long a sync takes. Where there is no store yet, another
// file is tried in its place and removed again.
import { existsSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ServerFacts } from '../../app/stores.ts'
import { locationName, type PostgresLocation, type StorePlace } from '../../core/store-place.ts'
import { describeError } from '../../errors.ts'
import type { Store } from '../../ports/store.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warning, problem } = findingsOf('store')

/** Enough for a median that one slow sync does not move. */
const SYNCS = 11
/** A callback waits for one sync, often two; the provider gives up after 5 s. */
const SLOW_MS = 100
/** What SQLite leaves beside a file that it had open. */
const SIDE_FILES = ['', '-wal', '-shm']

type Deps = {
  /** Opens the store in a file, making it where it is missing. */
  open(path: string): Promise<Store>
  examine(location: PostgresLocation): Promise<ServerFacts>
  elapsed(): number
}

export async function checkStore(place: StorePlace, deps: Deps): Promise<Finding> {
  return place.kind === 'sqlite'
    ? checkFile(place.path, deps.open, deps.elapsed)
    : checkServer(place.location, deps.examine)
}

/** Connection, TLS, rights, isolation, fsync and recovery are looked at on the way to the facts. */
async function checkServer(location: PostgresLocation, examine: Deps['examine']): Promise<Finding> {
  const name = locationName(location)
  try {
    const facts = await examine(location)
    const detail = detailOf(facts, location)
    const advice = adviceFor(facts, location)
    return advice === undefined ? ok(name, detail) : warning(name, detail, advice)
  } catch (error) {
    return problem(name, describeError(error), 'callbacks are answered 503 until this is mended')
  }
}

function detailOf(
  { version, isEncrypted, hasSchema, standbys, standbyTimeout, commitMs }: ServerFacts,
  { durability, sslMode }: PostgresLocation,
): string {
  const use = hasSchema
    ? 'takes appends'
    : 'can be used, and the service makes its schema at its start'
  const to = sslMode === 'require' ? ', but to whom is not checked' : ''
  const encrypted = isEncrypted ? `encrypted${to}` : 'not encrypted'
  const commit = `a commit takes ${commitMs.toFixed(1)} ms`
  return `${use}; PostgreSQL ${version}, ${encrypted}; ${commit}; ${worth()}`

  function worth(): string {
    const loss = 'a failover may lose the last moments'
    if (durability === 'primary') return `a commit is on the disk of the primary alone: ${loss}`
    if (standbys === '') return `the server names no standby, so ${loss}`
    const until = isSet(standbyTimeout) ? `, for ${standbyTimeout} at most` : ''
    return `a commit waits for the standby (${standbys})${until}`
  }
}

/** What is to be done though it works, the gravest first. */
function adviceFor(
  { isEncrypted, standbys, standbyTimeout, commitMs }: ServerFacts,
  { durability, sslMode, host }: PostgresLocation,
): string | undefined {
  if (sslMode === 'require') return 'set sslmode=verify-full and sslrootcert'
  if (!isEncrypted && !LOOPBACK.test(host)) {
    return 'take out sslmode=disable: the password and all events can be read on their way'
  }
  if (durability === 'standby' && standbys !== '' && isSet(standbyTimeout)) {
    return 'set rds_sync_replication_timeout to 0: after it a commit is on one disk, and nobody is told'
  }
  return commitMs > SLOW_MS ? 'put the database nearer, or on a faster disk' : undefined
}

const LOOPBACK = /^(localhost|127\.[\d.]+|::1)$/
/** The time-out counts in ms where it is a bare number; 0 is none. */
const isSet = (timeout: string | null) => timeout !== null && Number.parseInt(timeout, 10) > 0

async function checkFile(
  path: string,
  open: (path: string) => Promise<Store>,
  elapsed: () => number,
): Promise<Finding> {
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
