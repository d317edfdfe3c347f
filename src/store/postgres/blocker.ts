// Who holds what we wait for: named, so that somebody can see to it. A session of our own role that
// holds the lock of the log and waits for its client, paused or lost in the middle, is ended. Its
// procedure commits by itself, so that is a last resort.
import type { PostgresLocation } from '../../core/store-place.ts'
import type { Link } from './connection/link.ts'
import { inSchema } from './connection/location.ts'
import type { Row } from './connection/session.ts'

const DEADLINE_MS = 2_000
/** Any program chooses its name. */
const UNFIT = /[^\w .:/-]/g

/** What is shown of a session, of `pg_locks l` and `pg_stat_activity a`; of other roles' it may be little. */
const SHOWN = `
  a.pid, left(a.application_name, 60) as program, a.usename as role, a.state,
  extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.state_change))::int as seconds
`

/** Ends who may be ended. Returns who holds the lock of the log otherwise, if anybody does. */
export async function freeLock(link: Link, { schema }: PostgresLocation): Promise<string | null> {
  const statement = inSchema(
    schema,
    `select ${SHOWN}, case when a.usename = current_user and a.wait_event = 'ClientRead'
       then pg_terminate_backend(a.pid) else false end as ended
     from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.classid = 1936613744
       and l.objid = '@'::regnamespace::oid
       and l.database = (select oid from pg_database where datname = current_database())`,
  )
  const [holder] = await link.run((session) => session.rows(statement), DEADLINE_MS)
  return holder === undefined || holder.ended === true ? null : shown(holder)
}

/** Who keeps the session with this process id waiting now; null if nobody does. */
export async function whoBlocks(link: Link, pid: number): Promise<string | null> {
  const statement = `
    select ${SHOWN} from pg_stat_activity a where a.pid = any (pg_blocking_pids($1))
    order by a.xact_start nulls first limit 1
  `
  const [holder] = await link.run((session) => session.rows(statement, [pid]), DEADLINE_MS)
  return holder === undefined ? null : shown(holder)
}

function shown({ pid, program, role, state, seconds }: Row): string {
  const name = String(program ?? '').replaceAll(UNFIT, '?') || 'a program without a name'
  const since = seconds === null ? '' : ` for ${Number(seconds)} s`
  return `session ${Number(pid)} (${name}, role ${String(role)}, ${String(state ?? 'hidden')}${since})`
}
