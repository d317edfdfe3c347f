// Asks for a replay, or calls one off, for the command; beside a running service or without one.
import { existsSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { ReplayRequest, ReplayStore } from '../ports.ts'
import { createSeals } from '../store/seal.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemClock } from '../system-clock.ts'
import { knownSecrets } from './looking.ts'

/** Asks for a replay of what is kept. Resolves with its number; null where there is no store yet. */
export function requestReplay(config: Config, request: ReplayRequest): Promise<number | null> {
  return withStore(config, (store) => store.requestReplay(request))
}

/** Calls a replay off. Resolves with whether there was one to call off. */
export async function cancelReplay(config: Config, id: number): Promise<boolean> {
  return (await withStore(config, (store) => store.cancelReplay(id))) ?? false
}

async function withStore<T>(
  config: Config,
  act: (store: ReplayStore) => Promise<T>,
): Promise<T | null> {
  if (!existsSync(config.storePath)) return null
  const seals = createSeals(knownSecrets(config))
  const store = await openSqliteStore({ path: config.storePath, seals, now: systemClock.now })
  try {
    return await act(store)
  } finally {
    await store.close()
  }
}
