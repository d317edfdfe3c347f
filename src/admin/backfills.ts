// Asks for a backfill, or calls one off, for the command; beside a running service or without one.
import type { Overrides } from '../app/overrides.ts'
import { changeStore } from '../app/stores.ts'
import type { Config } from '../config/config.ts'
import type { BackfillRequest } from '../ports/audit.ts'

/** Asks for one backfill after the other. Resolves with their numbers; null where there is no store. */
export function requestBackfills(
  config: Config,
  overrides: Overrides,
  requests: readonly BackfillRequest[],
): Promise<number[] | null> {
  return changeStore(config, overrides, async (store) => {
    const numbers: number[] = []
    for (const request of requests) numbers.push(await store.requestBackfill(request))
    return numbers
  })
}

/** Calls a backfill off. Resolves with whether there was one to call off. */
export async function cancelBackfill(
  config: Config,
  overrides: Overrides,
  id: number,
): Promise<boolean> {
  return (await changeStore(config, overrides, (store) => store.cancelBackfill(id))) ?? false
}
