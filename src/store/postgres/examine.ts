// What `doctor` asks of a server, and changes nothing by: whether it can be used at all is found out
// as the service does, by connecting; then what its answers are worth, and how long they take.
import type { PostgresLocation } from '../../core/store-place.ts'
import { faultCode } from '../../errors.ts'
import { createAppender } from './append.ts'
import { ConnectionLost, openFault, storeFault } from './connection/faults.ts'
import { createLink } from './connection/link.ts'
import { syncOf } from './connection/location.ts'
import { transact } from './connection/session.ts'
import { checkIsolation, checkSchema } from './migrate.ts'

const DEADLINE_MS = 15_000
/** A commit that waits for a standby which is away would wait for ever. */
const COMMIT_DEADLINE_MS = 5_000
/** Enough for a median that one slow commit does not move. */
const COMMITS = 11

const FACTS = `
  select current_setting('server_version') as version,
    current_setting('synchronous_standby_names') as standbys,
    current_setting('rds_sync_replication_timeout', true) as timeout,
    (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as encrypted,
    case when exists (select from pg_namespace where nspname = $1)
      then (select pg_has_role(nspowner, 'usage') from pg_namespace where nspname = $1)
      else has_database_privilege(current_database(), 'create') end as may
`

export type ServerFacts = {
  /** As it calls itself, such as 17.2. */
  readonly version: string
  readonly isEncrypted: boolean
  /** Whether the schema is there, up to date; if not, the service makes it at its start. */
  readonly hasSchema: boolean
  /** The standbys that it waits for, as its settings have them; empty where for none. */
  readonly standbys: string
  /** ApsaraDB: how long a commit waits for a standby before it goes on alone. Null elsewhere. */
  readonly standbyTimeout: string | null
  /** The median of some commits that were waited for as those of callbacks are. */
  readonly commitMs: number
}

/** Rejects with one sentence on why the store can't be used, and what to do. */
export async function examineServer(location: PostgresLocation): Promise<ServerFacts> {
  const link = createLink({ location, name: 'doctor' })
  try {
    await link.run((session) => checkIsolation(session, location), DEADLINE_MS)
    const hasSchema = await link
      .run((session) => checkSchema(session, location), DEADLINE_MS)
      .then(
        () => true,
        (fault: unknown) => {
          if (faultCode(fault) === 'store_missing') return false
          throw fault
        },
      )
    const [row] = await link.run((session) => session.rows(FACTS, [location.schema]), DEADLINE_MS)
    if (row?.may !== true) {
      const problem = hasSchema
        ? 'has a schema that this role does not own: make it the owner, or name another schema'
        : 'lets this role make no schema: grant it "create" on the database, or make the schema its own'
      throw storeFault(location, problem, 'store_unavailable')
    }
    const standbys = String(row.standbys).trim()
    const commitMs = await medianCommit().catch((error: unknown) => {
      const isWaiting = location.durability === 'standby' && standbys !== ''
      if (!isWaiting || !(error instanceof ConnectionLost)) throw error
      const problem = `waits for a standby that does not confirm (${standbys}): bring it back, or set durability=primary`
      throw storeFault(location, problem, 'store_unavailable', error)
    })
    // Takes the lock of the log, as an append does.
    if (hasSchema) await createAppender({ link, location, freeLock: async () => null }).probe()
    return {
      version: String(row.version),
      isEncrypted: row.encrypted === true,
      hasSchema,
      standbys,
      standbyTimeout: row.timeout === null ? null : String(row.timeout),
      commitMs,
    }
  } catch (error) {
    throw openFault(error, location)
  } finally {
    await link.close()
  }

  async function medianCommit(): Promise<number> {
    const times: number[] = []
    for (let n = 0; n < COMMITS; n += 1) {
      const begun = performance.now()
      await link.run(async (session) => {
        // Writes a record, so that there is something to wait for, and changes nothing.
        await transact(session, syncOf(location), async () => {
          await session.rows(`select pg_logical_emit_message(true, 'snaphook', '')`)
        })
        if (session.isUnsure()) throw new ConnectionLost('a commit was not confirmed')
      }, COMMIT_DEADLINE_MS)
      times.push(performance.now() - begun)
    }
    return times.toSorted((a, b) => a - b)[Math.floor(COMMITS / 2)] as number
  }
}
