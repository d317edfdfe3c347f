// How many random lives a test lives. At a desk a fifth of them: all of them where a run decides on a
// change (`CI`), or is asked to (`ALL_ROUNDS`).
const { CI, ALL_ROUNDS } = process.env
const DIVISOR = CI || ALL_ROUNDS ? 1 : 5

/** `all`, or as many of them as there is time for. */
export function rounds(all: number): number {
  return Math.ceil(all / DIVISOR)
}
