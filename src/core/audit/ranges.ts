// Ranges of time, half open: from `from` up to, and without, `until`. Times are epoch ms. Pure.

export type Range = { readonly from: number; readonly until: number }

/** Ranges in order, without the empty ones; those that are at most `within` apart become one. */
export function joinRanges(ranges: readonly Range[], within = 0): Range[] {
  const joined: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    if (range.until <= range.from) continue
    const last = joined.at(-1)
    if (last === undefined || range.from - last.until > within) joined.push(range)
    else joined[joined.length - 1] = { from: last.from, until: Math.max(last.until, range.until) }
  }
  return joined
}

/** What of `ranges` lies in `bounds`. */
export function clipRanges(ranges: readonly Range[], bounds: Range): Range[] {
  return joinRanges(
    ranges.map(({ from, until }) => ({
      from: Math.max(from, bounds.from),
      until: Math.min(until, bounds.until),
    })),
  )
}

/** Whether a moment lies in any of the ranges. */
export function isWithin(at: number, ranges: readonly Range[]): boolean {
  return ranges.some(({ from, until }) => at >= from && at < until)
}

/** How long they are together; each moment counts once. */
export function lengthOf(ranges: readonly Range[]): number {
  return joinRanges(ranges).reduce((sum, { from, until }) => sum + until - from, 0)
}
