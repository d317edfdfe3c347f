// How many events a sink has still to get. Pure. Numbers are given out without gaps, but for the
// jump after a failover that may have lost the last of them.

/** Numbers that were never given out: above `after`, up to `upTo`. */
export type Jump = { readonly after: number; readonly upTo: number }

/** Events that were kept after the one at `cursor`. */
export function lagOf(
  cursor: number,
  { lastSeq, jumps = [] }: { readonly lastSeq: number; readonly jumps?: readonly Jump[] },
): number {
  const never = jumps.map(({ after, upTo }) => Math.max(0, upTo - Math.max(after, cursor)))
  return Math.max(0, lastSeq - cursor - never.reduce((sum, each) => sum + each, 0))
}
