// The store that flow tests use: the real one in memory, and what tests see of it and do to it from
// outside, as other processes would.
import type { KeyId, Ring } from '../../../src/core/keys/key-ring.ts'
import { type FaultCode, ServiceError } from '../../../src/errors.ts'
import type { DeadLetter } from '../../../src/ports/dead-letters.ts'
import type { Reading } from '../../../src/ports/reading.ts'
import type { Replay } from '../../../src/ports/replays.ts'
import type { Store } from '../../../src/ports/store.ts'
import { memoryPlace } from './memory-place.ts'

type Saved = { readonly ring: Ring; readonly revision: number }

export type MemoryStore = Store &
  Reading & {
    /** Makes everything reject until it is set to undefined. */
    fail: FaultCode | undefined
    readonly letters: readonly DeadLetter[]
    readonly replays: readonly Replay[]
    /** Rings as a backup that is put back would change them: behind everybody's back. */
    readonly rings: {
      get(domain: string): Saved | undefined
      set(domain: string, saved: Saved): void
      delete(domain: string): void
    }
  }

const MANY = 1_000_000
const METHODS = Object.keys(await memoryPlace().open()) as (keyof Store)[]

export function memoryStore(): MemoryStore {
  const { db, database, open } = memoryPlace()
  const opened = open()
  const save = db.prepare(
    'insert or replace into rings (domain, revision, content) values (?, ?, ?)',
  )
  const remove = db.prepare('delete from rings where domain = ?')
  const extras = {
    fail: undefined as FaultCode | undefined,
    get letters() {
      return database.readDeadLetters({ sink: null, limit: MANY })
    },
    get replays() {
      return database.listReplays().toReversed()
    },
    rings: {
      get(domain: string): Saved | undefined {
        const stored = database.loadRing(domain)
        return stored === null
          ? undefined
          : { ring: unsealed(JSON.parse(stored.content)), revision: stored.revision }
      },
      set: (domain: string, { ring, revision }: Saved) =>
        void save.run(domain, revision, JSON.stringify(sealed(ring))),
      delete: (domain: string) => void remove.run(domain),
    },
  }
  const methods = METHODS.map((name) => [
    name,
    async (...given: unknown[]) => {
      if (store.fail && name !== 'close')
        throw new ServiceError('the store fails', { code: store.fail })
      return ((await opened)[name] as (...given: unknown[]) => unknown)(...given)
    },
  ])
  const store = Object.defineProperties(
    Object.fromEntries(methods),
    Object.getOwnPropertyDescriptors(extras),
  ) as MemoryStore
  return store
}

type StoredId = { kind: 'foreign'; sealed: string } | KeyId

/** As `encodeRing` does under seals that seal nothing. */
function sealed(ring: Ring): object {
  const seal = (id: KeyId) => (id.kind === 'foreign' ? { kind: id.kind, sealed: id.key } : id)
  return {
    ...ring,
    current: ring.current && seal(ring.current),
    keys: ring.keys.map((key) => ({ ...key, id: seal(key.id) })),
  }
}

function unsealed(stored: Ring): Ring {
  const open = (id: StoredId): KeyId => ('sealed' in id ? { kind: 'foreign', key: id.sealed } : id)
  return {
    ...stored,
    current: stored.current && open(stored.current),
    keys: stored.keys.map((key) => ({ ...key, id: open(key.id) })),
  }
}
