// Asks for a replay, or calls one off, for the command; beside a running service or without one.

import type { Overrides } from '../app/overrides.ts'
import { changeStore } from '../app/stores.ts'
import type { Config } from '../config/config.ts'
import type { ReplayRequest } from '../ports/replays.ts'

/** Asks for a replay of what is kept. Resolves with its number; null where there is no store yet. */
export function requestReplay(
  config: Config,
  overrides: Overrides,
  request: ReplayRequest,
): Promise<number | null> {
  return changeStore(config, overrides, (store) => store.requestReplay(request))
}

/** Calls a replay off. Resolves with whether there was one to call off. */
export async function cancelReplay(
  config: Config,
  overrides: Overrides,
  id: number,
): Promise<boolean> {
  return (await changeStore(config, overrides, (store) => store.cancelReplay(id))) ?? false
}
