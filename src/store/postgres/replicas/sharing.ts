// What a shared store shows of itself to a command: replicas, owners, the server, how the log lies.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { ReplicaView, SharingView } from '../../../ports/views.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'

/** Sizes of many partitions are looked up one by one. */
const DEADLINE_MS = 30_000

export function createSharing(link: Link, { schema, durability }: PostgresLocation) {
  const q = (statement: string) => inSchema(schema, statement)
  const selectState = q(`
    select timeline, failovers, floor_seq::float8 as floor,
      current_setting('synchronous_standby_names') <> '' as "hasStandby",
      (select count(*)::int from @.partitions) as partitions,
      (greatest(0, coalesce((select bytes_upto from @.events order by seq desc limit 1), 0)
        - floor_bytes) + coalesce((select sum(bytes) from @.letter_totals), 0))::float8 as used,
      (select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class
       where relnamespace = '@'::regnamespace and relkind = 'r')::float8 as size
    from @.log_state
  `)
  const selectReplicas = q(`
    select name, version, extract(epoch from started_at)::float8 * 1000 as started,
      extract(epoch from clock_timestamp() - seen_at)::float8 as seen, array(
        select task from @.leases l
        where l.replica = p.replica and expires_at > clock_timestamp() order by task collate "C"
      ) as owns
    from @.peers p where seen_at > clock_timestamp() - interval '1 minute' order by started_at
  `)
  const selectUnowned = q(`
    select task from @.leases where expires_at <= clock_timestamp() order by task collate "C"
  `)

  return {
    readSharing: (): Promise<SharingView> =>
      link.run(async (session) => {
        const [state] = await session.rows(selectState)
        const replicas = await session.rows(selectReplicas)
        const unowned = await session.rows(selectUnowned)
        return {
          ...{ durability, hasStandby: state?.hasStandby === true },
          ...{ timeline: (state?.timeline as string | null) ?? null },
          ...{ failovers: Number(state?.failovers), partitions: Number(state?.partitions) },
          ...{ goneUpTo: Number(state?.floor), usedBytes: Number(state?.used) },
          bytesOnDisk: Number(state?.size),
          replicas: replicas.map(
            ({ name, version, started, seen, owns }): ReplicaView => ({
              ...{ name: String(name), version: String(version) },
              startedAt: new Date(Number(started)).toISOString(),
              seenSeconds: Math.round(Number(seen)),
              owns: owns as string[],
            }),
          ),
          unowned: unowned.map(({ task }) => String(task)),
        }
      }, DEADLINE_MS),
  }
}
