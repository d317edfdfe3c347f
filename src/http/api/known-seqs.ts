// Where the events are that were shown lately: an id alone does not say where in the log to look.
import type { Written } from '../../ports/reading.ts'

/** A wall of 500 streams asks for pictures of what it was shown in the last minutes. */
const MAX_KNOWN = 50_000

export type KnownSeqs = ReturnType<typeof createKnownSeqs>

/**
 * Remembers the seq of each id that was shown, at least the last half of `max`. In two generations: a
 * `Map` whose oldest entries are taken out one by one is looked through from its beginning each time.
 */
export function createKnownSeqs(max = MAX_KNOWN) {
  let older = new Map<string, number>()
  let newer = new Map<string, number>()

  function note(id: string, seq: number): void {
    newer.set(id, seq)
    if (newer.size < max / 2) return
    older = newer
    newer = new Map()
  }

  return {
    note({ id, seq }: { readonly id: string; readonly seq: number }): void {
      note(id, seq)
    },
    noteAll({ ids, seqs }: Written): void {
      for (const [row, id] of ids.entries()) note(id, seqs[row] as number)
    },
    get: (id: string): number | undefined => newer.get(id) ?? older.get(id),
  }
}
