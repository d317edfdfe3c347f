// What is to be delivered again: rows, so that any command may ask; the owner of the sink acts.
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { Replay, ReplayProgress, ReplayRequest } from '../../../ports/replays.ts'
import type { Link } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'
import { type Row, transact } from '../connection/session.ts'
import { leaseLost } from './cursors.ts'

/** The last so many are shown; nobody looks further back. */
const SHOWN = 20
const DEADLINE_MS = 5_000

export function createReplays(
  { keeping, writing }: { keeping: Link; writing: Link },
  location: PostgresLocation,
  now: () => number,
) {
  const q = (statement: string) => inSchema(location.schema, statement)
  const sync = syncOf(location)
  const columns = `
    id::float8 as id, sink, since::float8 as since, until::float8 as until, domain, stream,
    requested_at::float8 as "requestedAt", next_seq::float8 as "lookedUpTo",
    last_seq::float8 as "lastSeq", delivered::float8 as delivered, rejected::float8 as rejected,
    ended_at::float8 as "endedAt", cancelled
  `
  const insert = q(`
    insert into @.replays (sink, since, until, domain, stream, requested_at, last_seq)
    values ($1, $2, $3, $4, $5, $6, coalesce((select seq from @.cursors where sink = $1), 0))
    returning id::float8 as id
  `)
  const selectNext = q(`
    select ${columns} from @.replays r where sink = $1 and ended_at is null order by r.id limit 1
  `)
  const selectLast = q(`select ${columns} from @.replays r order by r.id desc limit ${SHOWN}`)
  const advance = q('select @.advance_replay_1($1, $2, $3, $4, $5, $6, $7) as held')
  const cancel = q(`
    update @.replays set ended_at = $2, cancelled = true where id = $1 and ended_at is null
    returning 1
  `)

  return {
    async requestReplay({ sink, since, until, domain, stream }: ReplayRequest): Promise<number> {
      const values = [sink, since, until, domain, stream, now()]
      const [row] = await writing.run(
        (session) => transact(session, sync, () => session.rows(insert, values)),
        DEADLINE_MS,
      )
      return Number(row?.id)
    },

    async nextReplay(sink: string): Promise<Replay | null> {
      const [row] = await keeping.run((session) => session.rows(selectNext, [sink]), DEADLINE_MS)
      return row === undefined ? null : replayOf(row)
    },

    async listReplays(): Promise<readonly Replay[]> {
      return (await keeping.run((session) => session.rows(selectLast), DEADLINE_MS)).map(replayOf)
    },

    async advanceReplay(
      { id, seq, delivered, rejected, isEnd }: ReplayProgress,
      token: string | null = null,
    ): Promise<void> {
      // The end is kept as a change is; progress is not waited for, as a cursor is not.
      const link = isEnd ? writing : keeping
      const values = [
        isEnd ? sync : 'off',
        token,
        id,
        seq,
        delivered,
        rejected,
        isEnd ? now() : null,
      ]
      const [row] = await link.run((session) => session.rows(advance, values), DEADLINE_MS)
      if (row?.held !== true) throw leaseLost(`replay ${id}`)
    },

    async cancelReplay(id: number): Promise<boolean> {
      const changed = await writing.run(
        (session) => transact(session, sync, () => session.rows(cancel, [id, now()])),
        DEADLINE_MS,
      )
      return changed.length > 0
    },
  }
}

function replayOf(row: Row): Replay {
  const time = (value: unknown) => (value === null ? null : Number(value))
  return {
    ...row,
    since: time(row.since),
    until: time(row.until),
    endedAt: time(row.endedAt),
  } as Replay
}
