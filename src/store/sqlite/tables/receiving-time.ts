// The time that services have spent listening on this store, in SQL and in seconds. Synchronous;
// the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'

export type SqlReceivingTime = ReturnType<typeof createReceivingTime>

export function createReceivingTime(db: DatabaseSync) {
  const select = db.prepare(`
    select value from counters where name = 'receiving_seconds'
  `)
  const update = db.prepare(`
    update counters set value = value + ? where name = 'receiving_seconds'
  `)

  return {
    load: () => Number(select.get()?.value),

    add(seconds: number): void {
      update.run(seconds)
    },
  }
}
