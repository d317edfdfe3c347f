// The cursors of the sinks. A write that only moves a cursor does not wait for the disk: if it is lost, a
// batch is delivered again; and nothing is pruned before the cursor that allows it is on disk.

import type { RejectedEvent } from '../../../core/delivery/outcome.ts'
import type { PostgresLocation } from '../../../core/store-place.ts'
import { ServiceError } from '../../../errors.ts'
import type { Link } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'

const DEADLINE_MS = 5_000
const ID = /^[0-9a-f]{64}$/i

/** Small writes and reads on `keeping`; dead letters on `writing`, whose commits may wait for a standby. */
export function createCursors(
  { keeping, writing }: { keeping: Link; writing: Link },
  location: PostgresLocation,
  now: () => number,
) {
  const q = (statement: string) => inSchema(location.schema, statement)
  const select = q('select seq::float8 as seq from @.cursors where sink = $1')
  const selectAll = q('select sink, seq::float8 as seq from @.cursors order by sink collate "C"')
  const advance = q(`
    select @.advance_cursor_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) as held
  `)

  return {
    async loadCursor(sink: string): Promise<number> {
      const [row] = await keeping.run((session) => session.rows(select, [sink]), DEADLINE_MS)
      return Number(row?.seq ?? 0)
    },

    async listCursors() {
      const rows = await keeping.run((session) => session.rows(selectAll), DEADLINE_MS)
      return rows.map(({ sink, seq }) => ({ sink: String(sink), seq: Number(seq) }))
    },

    async advanceCursor(
      sink: string,
      seq: number,
      rejected: readonly RejectedEvent[] = [],
      token: string | null = null,
    ): Promise<void> {
      if (rejected.some(({ event }) => !ID.test(event.id))) throw malformed()
      const isSmall = rejected.length === 0
      const link = isSmall ? keeping : writing
      const sync = isSmall ? 'off' : syncOf(location)
      const values = [sync, token, sink, seq, now(), ...columnsOf(rejected)]
      const [row] = await link.run((session) => session.rows(advance, values), DEADLINE_MS)
      if (row?.held !== true) throw leaseLost(`sink:${sink}`)
    },
  }
}

export function leaseLost(task: string): ServiceError {
  return new ServiceError(`Another replica owns ${task} by now.`, { code: 'lease_lost' })
}

function malformed(): ServiceError {
  return new ServiceError('A dead letter is malformed.', { code: 'store_failed' })
}

function columnsOf(rejected: readonly RejectedEvent[]): unknown[] {
  let end = 0
  return [
    rejected.map(({ event }) => event.seq),
    rejected.map(({ event }) => event.id),
    rejected.map(({ event }) => event.domain),
    rejected.map(({ event }) => event.origin),
    rejected.map(({ event }) => event.occurredAt),
    rejected.map(({ event }) => event.receivedAt),
    rejected.map(({ reason }) => reason),
    rejected.map(({ attempts }) => attempts),
    Buffer.concat(rejected.map(({ event }) => event.body)),
    rejected.map(({ event }) => {
      end += event.body.byteLength
      return end
    }),
  ]
}
