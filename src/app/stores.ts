// The one place that opens stores: for the service, and for commands beside it or without one.
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Config } from '../config/config.ts'
import type { PostgresLocation } from '../core/store-place.ts'
import { faultCode } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Leases } from '../ports/leases.ts'
import type { Reading } from '../ports/reading.ts'
import type { Store } from '../ports/store.ts'
import type { SharingView } from '../ports/views.ts'
import { roomFor } from '../store/disk.ts'
import type { ServerFacts } from '../store/postgres/examine.ts'
import type { PostgresStore, PostgresStoreOptions } from '../store/postgres/postgres-store.ts'
import type { ReplicaOptions } from '../store/postgres/replicas/join.ts'
import { createSeals } from '../store/sealed-rings/seal.ts'
import { soleOwner } from '../store/sole-owner.ts'
import { acquireLock } from '../store/sqlite/lock.ts'
import type { Commit } from '../store/sqlite/sqlite-store.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import { knownSecrets, type Secrets } from './secrets.ts'

/** What a shared store may hold if nothing is set: a share of which disk is not known. */
const SHARED_STORE_BYTES = 50e9

export type { ServerFacts }

/** A store that can also be looked into. */
export type ReadableStore = Store &
  Reading & {
    /** Of a shared store alone. */
    readSharing?(): Promise<SharingView>
  }

type Access = {
  readonly readOnly?: boolean
  /** What is committed from now on shows as well; in a shared store it always does. */
  readonly isLive?: boolean
  readonly onCommit?: (commit: Commit) => void
}

/** The store for writing, made where it is missing. Rejects with one sentence on what to do. */
export function openStore(
  config: Config,
  secrets: Secrets,
  overrides: Overrides,
  access: Access = {},
): Promise<ReadableStore> {
  const { store: place } = config
  const { clock, openStore: openSqlite } = withDefaults(overrides)
  const options = { seals: createSeals(secrets), now: clock.now, ...access }
  return place.kind === 'sqlite'
    ? openSqlite({ path: place.path, ...options })
    : openShared({ location: place.location, ...options })
}

export type ServingStore = {
  readonly store: ReadableStore
  readonly leases: Leases
  /** Of a shared store alone. */
  readonly shared?: Pick<PostgresStore, 'askLook'> & { readonly location: PostgresLocation }
}

type Serving = Pick<
  PostgresStoreOptions,
  'onFailover' | 'onDurability' | 'onConnection' | 'onHeldUp' | 'onDropFailing' | 'onClock'
> & {
  onCommit(commit: { seconds: number; events: number; waitSeconds?: number }): void
  readonly replica: ReplicaOptions
}

/** The store for a service, which becomes one of its replicas where it is shared. */
export async function openForService(
  config: Config,
  secrets: Secrets,
  overrides: Overrides,
  { replica, ...listeners }: Serving,
): Promise<ServingStore> {
  const { store: place } = config
  if (place.kind === 'sqlite') {
    const store = await openStore(config, secrets, overrides, { onCommit: listeners.onCommit })
    return { store, leases: soleOwner }
  }
  const { location } = place
  const { clock, leaseTimes: times } = withDefaults(overrides)
  const seals = createSeals(secrets)
  const store = await openShared({ location, seals, now: clock.now, ...listeners })
  const { askLook } = store
  const leases = store.join({ ...replica, ...(times && { times }) })
  return { store, leases, shared: { askLook, location } }
}

/** What a server is worth as a store, without changing it. Rejects with one sentence on what to do. */
export async function examineStore(location: PostgresLocation): Promise<ServerFacts> {
  const { examineServer } = await import('../store/postgres/examine.ts')
  return examineServer(location)
}

/** Loaded only where the settings ask for it. */
async function openShared(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { openPostgresStore } = await import('../store/postgres/postgres-store.ts')
  return openPostgresStore(options)
}

/** Resolves with what `read` finds in the store, which it can't change; with null where there is none yet. */
export async function readStore<T>(
  config: Config,
  overrides: Overrides,
  read: (store: ReadableStore) => Promise<T>,
): Promise<T | null> {
  const store = await openThere(config, overrides, { readOnly: true })
  return store && using(store, read)
}

/**
 * Resolves with true when `read` is done with the store, which it can't change; with false where there
 * is none yet. `isLive`: what is committed from now on shows as well.
 */
export async function watchStore(
  config: Config,
  overrides: Overrides,
  isLive: boolean,
  read: (store: ReadableStore, clock: Clock) => Promise<void>,
): Promise<boolean> {
  const store = await openThere(config, overrides, { readOnly: true, isLive })
  if (store === null) return false
  const { clock } = withDefaults(overrides)
  await using(store, () => read(store, clock))
  return true
}

/** Resolves with what `change` does to the store; with null where there is none yet. */
export async function changeStore<T>(
  config: Config,
  overrides: Overrides,
  change: (store: ReadableStore) => Promise<T>,
): Promise<T | null> {
  // A command beside running replicas makes no schema, and leaves theirs as it is.
  const store = await openThere(config, overrides, { readOnly: config.store.kind === 'postgres' })
  return store && using(store, change)
}

/** The store, or null where there is none yet. */
async function openThere(
  config: Config,
  overrides: Overrides,
  access: Access,
): Promise<ReadableStore | null> {
  const { store: place } = config
  if (place.kind === 'sqlite' && !existsSync(place.path)) return null
  return openStore(config, knownSecrets(config), overrides, access).catch((error: unknown) => {
    if (faultCode(error) === 'store_missing') return null
    throw error
  })
}

async function using<T>(
  store: ReadableStore,
  work: (store: ReadableStore) => Promise<T>,
): Promise<T> {
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** What the store may hold, in bytes. */
export function bytesOf({ storeMax, store }: Config): number {
  if ('bytes' in storeMax) return storeMax.bytes
  return store.kind === 'sqlite'
    ? Math.floor(storeMax.share * roomFor(store.path))
    : SHARED_STORE_BYTES
}

/** Keeps a second service off a file; on a shared store any number may serve. */
export async function lockStore({ store }: Config, overrides: Overrides, signal: AbortSignal) {
  if (store.kind !== 'sqlite') return undefined
  const { clock, log } = withDefaults(overrides)
  const since = new Date(clock.now()).toISOString()
  return acquireLock(store.path, {
    holder: `process ${process.pid} on ${hostname()}, since ${since}`,
    clock,
    signal,
    onWait: (holder) => log.warn('waiting for the store, which is in use', { holder }),
  })
}
