// Asks for a replay, or calls one off, for the command; beside a running service or without one.

import { changeStore } from '../app/change-store.ts'
import type { Config } from '../config/config.ts'
import type { ReplayRequest } from '../ports/store.ts'

/** Asks for a replay of what is kept. Resolves with its number; null where there is no store yet. */
export function requestReplay(config: Config, request: ReplayRequest): Promise<number | null> {
  return changeStore(config, (store) => store.requestReplay(request))
}

/** Calls a replay off. Resolves with whether there was one to call off. */
export async function cancelReplay(config: Config, id: number): Promise<boolean> {
  return (await changeStore(config, (store) => store.cancelReplay(id))) ?? false
}
