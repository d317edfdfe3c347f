// Frees the lock of the log, where a session of our own role holds it and waits for its client: one
// that was paused or lost in the middle. Its procedure commits by itself, so this is a last resort.
import type { PostgresLocation } from '../../core/store-place.ts'
import type { Link } from './link.ts'
import { inSchema } from './location.ts'

const DEADLINE_MS = 2_000

export async function freeLock(link: Link, { schema }: PostgresLocation): Promise<void> {
  const statement = inSchema(
    schema,
    `select pg_terminate_backend(a.pid) from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.classid = 1936613744
       and l.objid = '@'::regnamespace::oid and a.usename = current_user
       and l.database = (select oid from pg_database where datname = current_database())
       and a.wait_event = 'ClientRead'`,
  )
  await link.run((session) => session.rows(statement), DEADLINE_MS)
}
