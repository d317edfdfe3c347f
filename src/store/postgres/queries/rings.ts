// Key rings. A change is one statement with a revision check, so that commands and replicas never
// overwrite each other.

import type { Ring } from '../../../core/keys/key-ring.ts'
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { RingStore } from '../../../ports/store.ts'
import { decodeRing, encodeRing } from '../../sealed-rings/ring-content.ts'
import type { Seals } from '../../sealed-rings/seal.ts'
import type { Link } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'
import { transact } from '../connection/session.ts'

const DEADLINE_MS = 5_000

/** Reads on `reading`; writes on `writing`, whose commits may wait for a standby. */
export function createRings(
  { reading, writing }: { reading: Link; writing: Link },
  location: PostgresLocation,
  seals: Seals,
): RingStore {
  const q = (statement: string) => inSchema(location.schema, statement)
  const select = q('select content, revision::float8 as revision from @.rings where domain = $1')
  const insert = q(`
    insert into @.rings (domain, revision, content) values ($1, 1, $2)
    on conflict (domain) do nothing returning 1
  `)
  const update = q(`
    update @.rings set revision = revision + 1, content = $2
    where domain = $1 and revision = $3 returning 1
  `)
  const sum = q('select coalesce(sum(revision), 0)::float8 as version from @.rings')

  async function load(domain: string): Promise<{ content: string; revision: number } | null> {
    const [row] = await reading.run((session) => session.rows(select, [domain]), DEADLINE_MS)
    if (row === undefined) return null
    return { content: String(row.content), revision: Number(row.revision) }
  }

  return {
    async loadRing(domain) {
      const stored = await load(domain)
      if (stored === null) return null
      return { ring: await decodeRing(domain, stored.content, seals), revision: stored.revision }
    },

    async saveRing(domain: string, ring: Ring, revision: number) {
      const stored = await load(domain)
      if ((stored?.revision ?? 0) !== revision) return null
      const content = await encodeRing(domain, ring, stored?.content, seals)
      const saved = await writing.run(
        (session) =>
          transact(session, syncOf(location), () =>
            revision === 0
              ? session.rows(insert, [domain, content])
              : session.rows(update, [domain, content, revision]),
          ),
        DEADLINE_MS,
      )
      return saved.length === 0 ? null : revision + 1
    },

    async ringsVersion() {
      const [row] = await reading.run((session) => session.rows(sum), DEADLINE_MS)
      return Number(row?.version)
    },
  }
}
