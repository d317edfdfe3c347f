// The dead letters in SQL. Synchronous; the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'
import type { RejectedEvent } from '../../../core/delivery/outcome.ts'
import type { StoredEvent } from '../../../core/events/snapshot-event.ts'
import type { DeadLetter, DeadLetterChange, DeadLetterQuery } from '../../../ports/dead-letters.ts'

/** Rows of one change: more would keep the appends of a running service waiting. */
const MAX_CHANGED = 1_000
/** One read stops here, in bytes of bodies, for the same reason. */
const MAX_READ_BYTES = 8 * 1024 * 1024

const COUNTER = 'dead_letters '

type Row = StoredEvent &
  Omit<DeadLetter, 'event' | 'retryRequested'> & { readonly retryRequested: number }

export type SqlDeadLetters = ReturnType<typeof createDeadLetters>

export function createDeadLetters(db: DatabaseSync) {
  // An event can die twice for one sink where a store was restored: the last death counts.
  const upsert = db.prepare(`
    insert into dead_letters
      (sink, seq, id, occurred_at, domain, origin, received_at, body, reason, attempts, died_at)
    values (?, ?, unhex(?), ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (sink, seq) do update set
      id = excluded.id, occurred_at = excluded.occurred_at, domain = excluded.domain,
      origin = excluded.origin, received_at = excluded.received_at, body = excluded.body,
      reason = excluded.reason, attempts = excluded.attempts, died_at = excluded.died_at,
      retry_requested = 0
  `)
  const columns = `
    sink, seq, lower(hex(id)) as id, occurred_at as occurredAt, domain, origin,
    received_at as receivedAt, body, reason, attempts, died_at as diedAt,
    retry_requested as retryRequested
  `
  const select = db.prepare(`
    select ${columns} from dead_letters
    where (?1 is null or sink = ?1) and seq > ?3 order by sink, seq limit ?2
  `)
  const selectRequested = db.prepare(`
    select ${columns} from dead_letters
    where sink = ?1 and retry_requested = 1 order by seq limit ?2
  `)
  const count = db.prepare(`
    select substr(name, ${COUNTER.length + 1}) as sink, value from counters
    where name glob '${COUNTER}*'
  `)
  const chosen = `
    (?1 is null or sink = ?1)
      and (?2 is null or seq in (select value from json_each(?2)))
  `
  const request = db.prepare(`
    update dead_letters set retry_requested = 1 where rowid in (
      select rowid from dead_letters
      where retry_requested = 0 and ${chosen} limit ${MAX_CHANGED}
    )
  `)
  const remove = db.prepare(`
    delete from dead_letters where rowid in (
      select rowid from dead_letters where ${chosen} limit ${MAX_CHANGED}
    )
  `)
  const keep = db.prepare(`
    update dead_letters set reason = ?, attempts = attempts + ?, retry_requested = 0
    where sink = ? and seq = ?
  `)

  return {
    add(sink: string, { event, reason, attempts }: RejectedEvent, at: number): void {
      const { seq, id, occurredAt, domain, origin, receivedAt, body } = event
      upsert.run(
        ...[sink, seq, id, occurredAt, domain, origin, receivedAt, body],
        ...[reason, attempts, at],
      )
    },

    /** Up to `limit` letters, and at least one if there is any. */
    read({ sink, retryRequested = false, after = 0, limit }: DeadLetterQuery): DeadLetter[] {
      const letters: DeadLetter[] = []
      let bytes = 0
      const rows = retryRequested
        ? selectRequested.iterate(sink, limit)
        : select.iterate(sink, limit, after)
      for (const row of rows) {
        const { reason, attempts, diedAt, sink: of, ...rest } = { ...row } as Row
        const { retryRequested: requested, ...event } = rest
        letters.push({ sink: of, event, reason, attempts, diedAt, retryRequested: requested === 1 })
        bytes += event.body.byteLength
        if (bytes >= MAX_READ_BYTES) break
      }
      return letters
    },

    /** Sinks that ever had one, with how many they have. */
    count: () => count.all().map(({ sink, value }) => [String(sink), Number(value)] as const),

    /** How many letters it changed; a large selection takes several calls, until none is left. */
    change(change: DeadLetterChange): number {
      switch (change.kind) {
        case 'request_retry':
          return Number(request.run(...selection(change)).changes)
        case 'drop':
          return Number(remove.run(...selection(change)).changes)
        case 'failed_again': {
          const { reason, attempts, sink, seq } = change
          return Number(keep.run(reason, attempts, sink, seq).changes)
        }
      }
    },
  }
}

function selection({ sink, seqs }: { sink: string | null; seqs: readonly number[] | null }) {
  return [sink, seqs === null ? null : JSON.stringify(seqs)] as const
}
