// Key rings in SQL. A change is one statement with a revision check, so that a command and the
// running service never overwrite each other. Synchronous; the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'

export type StoredContent = { readonly content: string; readonly revision: number }

export type SqlRings = ReturnType<typeof createRings>

export function createRings(db: DatabaseSync) {
  const select = db.prepare(`
    select content, revision from rings where domain = ?
  `)
  const insert = db.prepare(`
    insert into rings (domain, revision, content) values (?, 1, ?)
    on conflict (domain) do nothing
  `)
  const update = db.prepare(`
    update rings set revision = revision + 1, content = ? where domain = ? and revision = ?
  `)
  const sum = db.prepare(`
    select coalesce(sum(revision), 0) as version from rings
  `)

  return {
    load(domain: string): StoredContent | null {
      const row = select.get(domain)
      return row === undefined ? null : ({ ...row } as StoredContent)
    },

    /** The new revision, or null where the stored one is not `revision` (0: none yet). */
    save(domain: string, content: string, revision: number): number | null {
      const { changes } =
        revision === 0 ? insert.run(domain, content) : update.run(content, domain, revision)
      return changes === 0 ? null : revision + 1
    },

    /** Grows with every save, since revisions only grow and no ring is ever deleted. */
    version: () => Number(sum.get()?.version),
  }
}
