// Brings the schema up to date: each script in a transaction under a lock that ends with it. Scripts
// never take what a running older release uses: procedures are versioned by name.
import { setTimeout as pause } from 'node:timers/promises'
import type { PostgresLocation } from '../../core/store-place.ts'
import { type Migration, migrationsAfter, readMigrations } from '../schema-versions.ts'
import { isLockTimeout, sqlState, storeFault } from './connection/faults.ts'
import { inSchema } from './connection/location.ts'
import type { Session } from './connection/session.ts'

const OWNER = 'snaphook'
/** A script that waits for a lock holds up the appends behind it: it soon gives way, and tries again. */
const LOCK_TIMEOUT_MS = 100
/** Another one that starts holds up nobody else. */
const TURN_TIMEOUT_MS = 10_000
const RETRY_MS = 500
/** A minute and a half; who starts a service waits no longer. */
const TRIES = 150
const SOMEBODY = 'another session'

export type MigrateOptions = {
  readonly migrations?: readonly Migration[] | undefined
  /** Told who holds up a change of the schema, each time that is somebody else. */
  readonly onHeldUp?: ((holder: string) => void) | undefined
  /** Who keeps the session with this process id waiting, if that can be known. */
  whoBlocks?(pid: number): Promise<string | null>
}

export const MIGRATIONS = readMigrations(new URL('./migrations/', import.meta.url))

/** Makes the schema where it is missing, and runs what it has not seen. */
export async function migrate(
  session: Session,
  location: PostgresLocation,
  { migrations = MIGRATIONS, onHeldUp, whoBlocks }: MigrateOptions = {},
): Promise<void> {
  let reported: string | undefined
  for (const migration of await pending(session, location, migrations)) {
    for (let tries = 1; ; tries++) {
      const holder = await runOne(session, location, migration, whoBlocks)
      if (holder === null) break
      if (tries === TRIES) throw heldUp(location, holder)
      // Its number; what it does may change.
      const who = holder.split(' (')[0]
      if (who !== reported) onHeldUp?.(holder)
      reported = who
      await pause(RETRY_MS)
    }
  }
}

function heldUp(location: PostgresLocation, holder: string): Error {
  const problem = `can't be brought up to date: ${holder} holds a table of it; end that, and start again`
  return storeFault(location, problem, 'store_unavailable')
}

/** Appends would number twice under another one than the usual. */
export async function checkIsolation(session: Session, location: PostgresLocation): Promise<void> {
  const [server] = await session.rows(
    `select current_setting('transaction_isolation') as isolation`,
  )
  if (server?.isolation === 'read committed') return
  const problem = `has the default isolation "${String(server?.isolation)}": set it to "read committed" for this role`
  throw storeFault(location, problem, 'store_unavailable')
}

/** Refuses a schema that can't be read as it is, for those who must not change it. */
export async function checkSchema(
  session: Session,
  location: PostgresLocation,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  if ((await pending(session, location, migrations)).length === 0) return
  const problem =
    'has no schema of this release: start the service once to make it, or to bring it up to date'
  const isMissing = (await versionOf(session, location)) === 0
  throw storeFault(location, problem, isMissing ? 'store_missing' : 'store_unavailable')
}

/** Resolves with null when it is done; with who held it up, where nothing was. */
async function runOne(
  session: Session,
  location: PostgresLocation,
  { version, script }: Migration,
  whoBlocks: MigrateOptions['whoBlocks'],
): Promise<string | null> {
  const { schema } = location
  let holder: string | null = null
  let asking: NodeJS.Timeout | undefined
  await session.script(`begin; set local lock_timeout = ${TURN_TIMEOUT_MS};
    set local synchronous_commit = on`)
  try {
    // Whoever else starts now waits here, and then finds that it is done.
    const [self] = await session.rows(
      `select pg_advisory_xact_lock(hashtext($1), 1), pg_backend_pid() as pid`,
      [`${OWNER} ${schema}`],
    )
    await session.script(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
    asking = setInterval(async () => {
      holder = (await whoBlocks?.(Number(self?.pid))) ?? holder
    }, LOCK_TIMEOUT_MS / 4)
    if (version > (await versionOf(session, location))) {
      await session.script(`create schema if not exists "${schema}"`)
      await session.script(inSchema(schema, script))
      await session.rows(inSchema(schema, 'insert into @.meta (owner, version) values ($1, $2)'), [
        OWNER,
        version,
      ])
    }
    await session.script('commit')
    return null
  } catch (error) {
    await session.script('rollback').catch(() => undefined)
    if (isLockTimeout(error)) return holder ?? SOMEBODY
    throw error
  } finally {
    clearInterval(asking)
  }
}

async function pending(
  session: Session,
  location: PostgresLocation,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const version = await versionOf(session, location)
  const unseen = migrationsAfter(version, migrations)
  if (!('tooNew' in unseen)) return unseen
  throw storeFault(location, `${unseen.tooNew}, or name another schema`, 'store_newer')
}

/** 0 where there is nothing yet. Throws where the schema is another program's. */
async function versionOf(session: Session, location: PostgresLocation): Promise<number> {
  const { schema } = location
  const [found] = await session.rows(
    `select count(*)::int as tables, count(*) filter (where relname = 'meta')::int as meta
     from pg_class where relnamespace = (select oid from pg_namespace where nspname = $1)
       and relkind in ('r', 'p', 'v', 'm')`,
    [schema],
  )
  if (found?.tables === 0) return 0
  const statement = inSchema(
    schema,
    'select owner, max(version)::int as version from @.meta group by owner',
  )
  const rows = found?.meta === 1 ? await session.rows(statement).catch(strangerOr) : []
  if (rows.length !== 1 || rows[0]?.owner !== OWNER) {
    const problem = 'has a schema of another program: name another one with schema='
    throw storeFault(location, problem, 'store_unavailable')
  }
  return Number(rows[0]?.version)
}

/** A table of this name with other columns is not ours; whatever else is wrong is a fault. */
function strangerOr(error: unknown): [] {
  if (sqlState(error) === '42703') return []
  throw error
}
