// Reads the log. A page costs the same at any size: it is one range of one partition's index, and its
// plan is kept by the session.
import type { Jump } from '../../../core/delivery/lag.ts'
import type { NewEvent, StoredEvent } from '../../../core/events/snapshot-event.ts'
import type { EventLog, LogStats } from '../../../ports/store.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'
import type { Row } from '../connection/session.ts'

/** No read goes further, in bytes of bodies. */
const MAX_READ_BYTES = 8 * 1024 * 1024
const READ_DEADLINE_MS = 10_000
/** Probes and scrapes ask, and must be answered while the store hangs. */
const STATS_DEADLINE_MS = 1_000

/** The columns of an event, for any table that has them; `order by` must name the table's `seq`, not this one. */
export const EVENT_COLUMNS = `
  seq::float8 as seq, encode(id, 'hex') as id, domain, origin,
  received_at::float8 as "receivedAt", occurred_at::float8 as "occurredAt", body
`

export function createEventLog(link: Link, schema: string): Pick<EventLog, 'read' | 'stats'> {
  const page = inSchema(schema, `select ${EVENT_COLUMNS} from @.read_1($1, $2, $3)`)
  const stats = inSchema(
    schema,
    `select last::float8 as "lastSeq", @.events_between_1(floor_seq, last)::float8 as events, (
       select json_agg(json_build_object('after', after_seq, 'upTo', to_seq)) from @.jumps
     ) as jumps, timeline
     from (
       select timeline, floor_seq, greatest(floor_seq, (select max(to_seq) from @.jumps),
         (select seq from @.log_end_1())) as last
       from @.log_state
     ) s`,
  )

  return {
    /** See `EventLog.read`. */
    read(after: number, limit: number, maxBytes = MAX_READ_BYTES): Promise<StoredEvent[]> {
      const most = Math.min(maxBytes, MAX_READ_BYTES)
      return link.run(async (session) => {
        return (await session.rows(page, [after, limit, most])).map(eventOf)
      }, READ_DEADLINE_MS)
    },

    async stats(): Promise<LogStats> {
      const [row] = await link.run((session) => session.rows(stats), STATS_DEADLINE_MS)
      const jumps = row?.jumps as Jump[] | null
      const known = { events: Number(row?.events), lastSeq: Number(row?.lastSeq) }
      const timeline = row?.timeline as string | null
      return { ...known, ...(jumps && { jumps }), ...(timeline && { timeline }) }
    },
  }
}

/** A row of `EVENT_COLUMNS`. */
export function eventOf(row: Row): StoredEvent {
  return {
    seq: Number(row.seq),
    id: String(row.id),
    domain: String(row.domain),
    origin: row.origin as NewEvent['origin'],
    receivedAt: Number(row.receivedAt),
    occurredAt: Number(row.occurredAt),
    body: row.body as Uint8Array,
  }
}
