// What the commands share that change the store: it is opened for writing, beside a running service
// or without one, and never made.
import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import type { Store } from '../ports/store.ts'
import { createSeals } from '../store/sealed-rings/seal.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { knownSecrets } from './looking.ts'
import { systemClock } from './system-clock.ts'

/** Resolves with what `change` does; with null where there is no store yet. */
export async function changeStore<T>(
  config: Config,
  change: (store: Store) => Promise<T>,
): Promise<T | null> {
  if (!existsSync(config.storePath)) return null
  const seals = createSeals(knownSecrets(config))
  const store = await openSqliteStore({ path: config.storePath, seals, now: systemClock.now })
  try {
    return await change(store)
  } finally {
    await store.close()
  }
}
