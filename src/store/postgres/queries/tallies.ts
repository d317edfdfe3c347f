// What came in for each domain, and the time spent receiving. Additions, from whoever has some.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { ReceivingTime, Tallies } from '../../../ports/store.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'

const DEADLINE_MS = 5_000

export function createTallies(
  keeping: Link,
  { schema }: PostgresLocation,
): Tallies & ReceivingTime {
  const q = (statement: string) => inSchema(schema, statement)
  const select = q(`
    select last_callback_at::float8 as at, unsigned::float8 as unsigned
    from @.tallies where domain = $1
  `)
  const addUnsigned = q(`
    insert into @.tallies as t (domain, unsigned) values ($1, $2)
    on conflict (domain) do update set unsigned = t.unsigned + excluded.unsigned
  `)
  const selectTime = q(`select value from @.counters where name = 'receiving_seconds'`)
  const addTime = q(`
    update @.counters set value = value + $1 where name = 'receiving_seconds'
  `)
  const rows = (statement: string, values: readonly unknown[]) =>
    keeping.run((session) => session.rows(statement, values), DEADLINE_MS)

  return {
    async loadTally(domain) {
      const [row] = await rows(select, [domain])
      const at = row?.at ?? null
      return {
        lastCallbackAt: at === null ? null : Number(at),
        unsigned: Number(row?.unsigned ?? 0),
      }
    },
    async addUnsigned(domain, count) {
      await rows(addUnsigned, [domain, count])
    },
    async loadReceivingTime() {
      return Number((await rows(selectTime, []))[0]?.value)
    },
    async addReceivingTime(seconds) {
      await rows(addTime, [seconds])
    },
  }
}
