// How long to wait before the next try: doubling, with jitter, up to a bound. Pure: the random
// number is passed in.

export type BackOff = {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * Milliseconds to wait after the `failures`-th failure in a row (1 for the first). Half of the
 * wait is jitter (`random` from 0 up to 1), so that many who failed together do not return together.
 */
export function backOffMs({ firstMs, maxMs }: BackOff, failures: number, random: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** (failures - 1))
  return Math.round(full * (0.5 + random / 2))
}
