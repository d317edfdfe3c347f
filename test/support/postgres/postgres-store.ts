// Stores on PostgreSQL for tests: closed when the test ends.
import { onTestFinished } from 'vitest'
import type { PostgresLocation } from '../../../src/core/store-place.ts'
import {
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from '../../../src/store/postgres/postgres-store.ts'
import type { ReplicaOptions } from '../../../src/store/postgres/replicas/join.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { SECRET } from '../store/store-events.ts'

export async function openShared(
  location: PostgresLocation,
  options: Partial<PostgresStoreOptions> = {},
  /** Of a test that runs beside others: its own. */
  finished: (close: () => Promise<void>) => void = onTestFinished,
): Promise<PostgresStore> {
  const seals = createSeals([SECRET])
  const store = await openPostgresStore({ location, seals, now: Date.now, ...options })
  finished(() => store.close())
  return store
}

/** A store that is one of the replicas, under a name. */
export async function joinShared(
  location: PostgresLocation,
  name: string,
  { store: options = {}, ...replica }: Partial<ReplicaOptions> & JoinOptions = {},
) {
  const store = await openShared(location, options)
  const view = { sinks: replica.sinks ?? [], owned: [] }
  const leases = store.join({
    name,
    version: '0.0.0',
    view: () => view,
    onGrowth: () => undefined,
    ...replica,
  })
  return { store, leases }
}

type JoinOptions = {
  readonly store?: Partial<PostgresStoreOptions>
  /** Of its settings. */
  readonly sinks?: readonly string[]
}

/** Everything in the log, page by page. */
export async function readAll(store: PostgresStore, pageSize = 500) {
  const events: Awaited<ReturnType<PostgresStore['read']>> = []
  for (;;) {
    const page = await store.read(events.at(-1)?.seq ?? 0, pageSize)
    if (page.length === 0) return events
    events.push(...page)
  }
}

/** A location as the settings name it. */
export function storeUrl(location: PostgresLocation): string {
  const { host, port, user, password, database, schema } = location
  const url = new URL(`postgres://${host}:${port}/${database}`)
  url.username = user
  url.password = password ?? ''
  const { sslMode: sslmode, sslRootCert: sslrootcert, durability } = location
  const parameters = { schema, sslmode, sslrootcert, durability }
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url.href
}
