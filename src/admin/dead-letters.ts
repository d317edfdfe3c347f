// Looks at dead letters and changes them, for the command; beside a running service or without one.

import type { Overrides } from '../app/overrides.ts'
import { changeStore, readStore } from '../app/stores.ts'
import type { Config } from '../config/config.ts'
import type { DeadLetter, DeadLetterChange } from '../ports/dead-letters.ts'
import type { ExpiredRange } from '../ports/retention.ts'

export type DeadLetterSelection = Exclude<DeadLetterChange, { kind: 'failed_again' }>

/** The first `limit` dead letters of a sink, or of all, how many there are in all, and what has expired; null without a store. */
export async function listDeadLetters(
  config: Config,
  overrides: Overrides,
  sink: string | null,
  limit: number,
): Promise<{
  letters: DeadLetter[]
  total: number
  expired: readonly ExpiredRange[]
} | null> {
  return readStore(config, overrides, async (store) => {
    const counts = [...(await store.countDeadLetters())]
    const meant = counts.filter(([name]) => sink === null || name === sink)
    const letters = await store.readDeadLetters({ sink, limit })
    const total = meant.reduce((sum, [, count]) => sum + count, 0)
    return { letters, total, expired: await store.readExpired(sink) }
  })
}

/**
 * Marks or drops dead letters, in slices that let a running service go on; resolves with how many, or null without a store.
 * With all of a sink's letters also its expired ranges are dropped.
 */
export async function changeDeadLetters(
  config: Config,
  overrides: Overrides,
  change: DeadLetterSelection,
): Promise<number | null> {
  return changeStore(config, overrides, async (store) => {
    let total = 0
    if (change.kind === 'drop' && change.seqs === null) {
      total += await store.dropExpired(change.sink)
    }
    for (;;) {
      const slice = await store.changeDeadLetters(change)
      if (slice === 0) return total
      total += slice
    }
  })
}
