// The data folder of a PostgreSQL for tests, as another user where we are root, since it refuses that.
// To make one takes a third of a second of a processor, and some forty files want one: it is made
// once for each release of the server, kept, and copied.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `nobody`, everywhere. */
const OTHER_USER = 65_534
const KEPT = fileURLToPath(
  new URL('../../../node_modules/.cache/snaphook-postgres', import.meta.url),
)
const OPTIONS = ['-U', 'admin', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C']
/** Whom the tests log in as, and where. A line is a statement. */
const CONTENT = `create role snaphook login
create database snaphook owner snaphook
`

/** How programs run that refuse root. */
export const asOther = process.getuid?.() === 0 ? { uid: OTHER_USER, gid: OTHER_USER } : {}

export function giveToOther(path: string): void {
  if ('uid' in asOther) chownSync(path, OTHER_USER, OTHER_USER)
}

/** Makes a cluster in `data`, whose parent is the other user's, with the user and database of the tests. */
export function makeCluster(data: string, programs: string): void {
  const version = execFileSync(join(programs, 'initdb'), ['--version'], { encoding: 'utf8' })
  const made = createHash('sha256').update(JSON.stringify([version, OPTIONS, CONTENT]))
  const kept = join(KEPT, made.digest('hex').slice(0, 16))
  if (existsSync(kept)) {
    copy(kept, data)
    return
  }
  const options = { ...asOther, stdio: 'pipe', cwd: join(data, '..') } as const
  execFileSync(join(programs, 'initdb'), ['-D', data, ...OPTIONS], options)
  const alone = ['--single', '-D', data, 'postgres']
  execFileSync(join(programs, 'postgres'), alone, { ...options, input: CONTENT })
  keep(data, kept)
}

/** Whoever is first is kept: what others made meanwhile is the same. */
function keep(data: string, kept: string): void {
  mkdirSync(KEPT, { recursive: true })
  const mine = `${kept}.${process.pid}`
  copy(data, mine)
  try {
    renameSync(mine, kept)
  } catch {
    rmSync(mine, { recursive: true })
  }
}

/** With owners and rights. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to], { stdio: 'pipe' })
}
