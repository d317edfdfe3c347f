// What came in for each domain, in SQL. Synchronous; the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'
import type { NewEvent } from '../../../core/events/snapshot-event.ts'
import type { Tally } from '../../../ports/store.ts'

export type SqlTallies = ReturnType<typeof createTallies>

export function createTallies(db: DatabaseSync) {
  const select = db.prepare(`
    select last_callback_at as lastCallbackAt, unsigned from tallies where domain = ?
  `)
  const noteCallback = db.prepare(`
    insert into tallies (domain, last_callback_at) values (?, ?)
    on conflict (domain) do update set last_callback_at = excluded.last_callback_at
    where excluded.last_callback_at > coalesce(last_callback_at, 0)
  `)
  const addUnsigned = db.prepare(`
    insert into tallies (domain, unsigned) values (?, ?)
    on conflict (domain) do update set unsigned = unsigned + excluded.unsigned
  `)

  return {
    load: (domain: string) =>
      ({ lastCallbackAt: null, unsigned: 0, ...select.get(domain) }) as Tally,

    /** Remembers the newest callback of each domain: once per domain, however many events. */
    noteEvents(events: readonly NewEvent[]): void {
      const newest = new Map<string, number>()
      for (const { domain, receivedAt } of events) {
        newest.set(domain, Math.max(receivedAt, newest.get(domain) ?? 0))
      }
      for (const [domain, at] of newest) noteCallback.run(domain, at)
    },

    addUnsigned(domain: string, count: number): void {
      addUnsigned.run(domain, count)
    },
  }
}
