// The cursors of the sinks in SQL. Synchronous; the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'

export type SqlCursors = ReturnType<typeof createCursors>

export function createCursors(db: DatabaseSync) {
  const select = db.prepare(`
    select seq from cursors where sink = ?
  `)
  const selectAll = db.prepare(`
    select sink, seq from cursors order by sink
  `)
  const upsert = db.prepare(`
    insert into cursors (sink, seq, updated_at) values (?, ?, ?)
    on conflict (sink) do update set seq = excluded.seq, updated_at = excluded.updated_at
    where excluded.seq > seq
  `)

  return {
    load: (sink: string) => Number(select.get(sink)?.seq ?? 0),

    list: () => selectAll.all().map(({ sink, seq }) => ({ sink: String(sink), seq: Number(seq) })),

    /** Moves a cursor forward, never back; `at` is in epoch ms. */
    advance(sink: string, seq: number, at: number): void {
      upsert.run(sink, seq, at)
    },
  }
}
