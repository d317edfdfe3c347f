// Where the events are that were shown lately: an id alone does not say where in the log to look.

/** A wall of 500 streams asks for pictures of what it was shown in the last minutes. */
const MAX_KNOWN = 50_000

export type KnownSeqs = ReturnType<typeof createKnownSeqs>

/** Remembers the seq of each id that was shown; the oldest go first. */
export function createKnownSeqs(max = MAX_KNOWN) {
  const seqs = new Map<string, number>()
  return {
    note({ id, seq }: { readonly id: string; readonly seq: number }): void {
      seqs.delete(id)
      seqs.set(id, seq)
      if (seqs.size <= max) return
      const [oldest] = seqs.keys()
      if (oldest !== undefined) seqs.delete(oldest)
    },
    get: (id: string): number | undefined => seqs.get(id),
  }
}
