// The one place that opens stores: for the service, and for commands beside it or without one.
import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import type { Clock } from '../ports/clock.ts'
import type { Reading } from '../ports/reading.ts'
import type { Store } from '../ports/store.ts'
import { createSeals } from '../store/sealed-rings/seal.ts'
import type { Commit } from '../store/sqlite/sqlite-store.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import { knownSecrets, type Secrets } from './secrets.ts'

/** A store that can also be looked into. */
export type ReadableStore = Store & Reading

/** The store for writing, made where it is missing. Rejects with one sentence on what to do. */
export function openStore(
  config: Config,
  secrets: Secrets,
  overrides: Overrides,
  onCommit?: (commit: Commit) => void,
): Promise<ReadableStore> {
  const { clock, openStore } = withDefaults(overrides)
  return openStore({
    path: config.storePath,
    seals: createSeals(secrets),
    now: clock.now,
    ...(onCommit && { onCommit }),
  })
}

/** Resolves with what `read` finds in the store, which it can't change; with null where there is none yet. */
export async function readStore<T>(
  config: Config,
  overrides: Overrides,
  read: (store: ReadableStore) => Promise<T>,
): Promise<T | null> {
  if (!existsSync(config.storePath)) return null
  const { clock, openStore } = withDefaults(overrides)
  const seals = createSeals(knownSecrets(config))
  const path = config.storePath
  return using(await openStore({ path, seals, now: clock.now, readOnly: true }), read)
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
  if (!existsSync(config.storePath)) return false
  const { clock, openStore } = withDefaults(overrides)
  const seals = createSeals(knownSecrets(config))
  const options = { path: config.storePath, seals, now: clock.now, readOnly: true, isLive }
  await using(await openStore(options), (store) => read(store, clock))
  return true
}

/** Resolves with what `change` does to the store; with null where there is none yet. */
export async function changeStore<T>(
  config: Config,
  overrides: Overrides,
  change: (store: ReadableStore) => Promise<T>,
): Promise<T | null> {
  if (!existsSync(config.storePath)) return null
  return using(await openStore(config, knownSecrets(config), overrides), change)
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
