// Chance that can be had again: the same seed gives the same numbers.

export type Chance = {
  /** From 0 up to 1. */
  (): number
  /** A whole number below `end`. */
  below(end: number): number
  /** True in `share` of all cases. */
  is(share: number): boolean
  of<T>(from: readonly T[]): T
}

/** mulberry32: small, fast, and good enough to draw histories from. */
export function chanceFrom(seed: number): Chance {
  let at = seed >>> 0
  const draw = (): number => {
    at = (at + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(at ^ (at >>> 15), at | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (end: number) => Math.floor(draw() * end)
  return Object.assign(draw, {
    below,
    is: (share: number) => draw() < share,
    of: <T>(from: readonly T[]): T => from[below(from.length)] as T,
  })
}
