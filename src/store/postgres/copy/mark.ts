// What a schema notes of a copy into it.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { CopyMark } from '../../../ports/copy.ts'
import { storeFault } from '../connection/faults.ts'
import { inSchema } from '../connection/location.ts'
import type { Session } from '../connection/session.ts'

export async function readMark(session: Session, schema: string): Promise<CopyMark | null> {
  const [row] = await session.rows(
    inSchema(
      schema,
      `select source, with_events as "withEvents", started_at::float8 as "startedAt",
         ended_at::float8 as "endedAt", doubles::float8 as doubles from @.copies`,
    ),
  )
  return (row as CopyMark | undefined) ?? null
}

/** Refuses a store into which a copy is under way, for all but the copy itself. */
export async function refuseUnfinishedCopy(
  session: Session,
  location: PostgresLocation,
): Promise<void> {
  const mark = await readMark(session, location.schema)
  if (mark === null || mark.endedAt !== null) return
  const problem = `holds an unfinished copy of ${mark.source}: go on with copy-store, or drop the schema`
  throw storeFault(location, problem, 'store_unavailable')
}
