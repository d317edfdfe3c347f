// Drops the partitions that are wholly below the floor: detached first, concurrently, so that neither
// readers nor appends wait. What was interrupted is finished the next time, by whoever is the janitor.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'
import { transact } from '../connection/session.ts'

/** A detach waits for whoever reads the partition; a service that stops must not wait for that. */
const DETACH_DEADLINE_MS = 2_000
const DEADLINE_MS = 10_000
/** While one of these waits, no partition can be made, and no append be kept that needs one. */
const LOCK_TIMEOUT_MS = 200
const RETRY_MS = 5_000
/** Failures in a row before a drop that fails is reported: until then somebody may just be reading for long. */
const NEWS_AFTER = 3

export type Dropper = {
  /** To be called at each step of the janitor; nothing waits for it, and nothing fails with it. */
  drop(hasMoved: boolean): void
}

/** Works on `link` alone: what waits there must hold up nothing else. */
export function createDropper(deps: {
  link: Link
  location: PostgresLocation
  /** Told once when what is gone can't be dropped for a while, though nothing but room depends on it. */
  onFailing?: ((problem: unknown) => void) | undefined
}): Dropper {
  const { link, location, onFailing } = deps
  let running: Promise<void> | undefined
  /** An earlier janitor may have left something. */
  let isDue = true
  let failures = 0
  let notBefore = -Infinity

  return {
    drop(hasMoved) {
      isDue ||= hasMoved
      if (!isDue || running !== undefined || performance.now() < notBefore) return
      isDue = false
      running = dropPartitions(link, location)
        .then(
          () => {
            failures = 0
          },
          (error: unknown) => {
            isDue = true
            failures += 1
            notBefore = performance.now() + RETRY_MS
            if (failures === NEWS_AFTER) onFailing?.(error)
          },
        )
        .finally(() => {
          running = undefined
        })
    },
  }
}

export async function dropPartitions(link: Link, { schema }: PostgresLocation): Promise<void> {
  const q = (statement: string) => inSchema(schema, statement)
  const selectGone = q(`
    select name, (
      select i.inhdetachpending from pg_inherits i
      where i.inhrelid = to_regclass(format('@.%I', p.name)) and i.inhparent = '@.events'::regclass
    ) as pending, to_regclass(format('@.%I', p.name)) is not null as "exists"
    from @.partitions p
    where to_seq <= (select floor_seq + 1 from @.log_state)
      and from_seq < (select max(from_seq) from @.partitions)
    order by from_seq
  `)
  const forget = q('delete from @.partitions where name = $1')
  const gone = await link.run((session) => session.rows(selectGone), DEADLINE_MS)
  for (const { name, pending, exists } of gone) {
    const table = q(`@."${String(name)}"`)
    const detach = q(`alter table @.events detach partition ${table}`)
    if (pending === false) {
      await link.run((session) => session.script(`${detach} concurrently`), DETACH_DEADLINE_MS)
    }
    await link.run(
      (session) =>
        transact(session, 'off', async () => {
          await session.script(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
          if (pending === true) await session.script(`${detach} finalize`)
          if (exists === true) await session.script(`drop table ${table}`)
          await session.rows(forget, [name])
        }),
      DEADLINE_MS,
    )
  }
}
