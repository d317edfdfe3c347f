// Where the events are that were shown lately: an id alone does not say where in the log to look.
import type { Written } from '../../ports/reading.ts'

/** A wall of 500 streams asks for pictures of what it was shown in the last minutes. */
const MAX_KNOWN = 50_000

export type KnownSeqs = ReturnType<typeof createKnownSeqs>

/** Remembers the seq of each id that was shown; the oldest go first. */
export function createKnownSeqs(max = MAX_KNOWN) {
  const seqs = new Map<string, number>()
  function note(id: string, seq: number): void {
    seqs.delete(id)
    seqs.set(id, seq)
    if (seqs.size <= max) return
    const [oldest] = seqs.keys()
    if (oldest !== undefined) seqs.delete(oldest)
  }

  return {
    note({ id, seq }: { readonly id: string; readonly seq: number }): void {
      note(id, seq)
    },
    noteAll({ ids, seqs: places }: Written): void {
      for (const [row, id] of ids.entries()) note(id, places[row] as number)
    },
    get: (id: string): number | undefined => seqs.get(id),
  }
}
