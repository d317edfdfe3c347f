// Whether a stream's events leave a hole: only such a stream is worth a question to the provider.
// Pure. Times are epoch ms.
import type { Range } from './ranges.ts'
import { SAME_SHOT_MS } from './shots.ts'

/** A pause longer than this, in intervals of the stream, is a hole. */
const HOLE_INTERVALS = 1.5
/** So is a longer one before the first shot of a push, or after its last. */
const PUSH_END_INTERVALS = 1.1
/** Fewer moments show no interval. */
const MIN_MOMENTS = 3

/** The moments of a stream's shots, in order, each once. */
export function momentsOf(times: readonly number[]): number[] {
  const moments: number[] = []
  for (const time of times.toSorted((a, b) => a - b)) {
    const last = moments.at(-1)
    if (last === undefined || time - last > SAME_SHOT_MS) moments.push(time)
  }
  return moments
}

/** The interval between shots as their moments show it, or null where they are too few. */
export function intervalOf(moments: readonly number[]): number | null {
  if (moments.length < MIN_MOMENTS) return null
  const pauses = moments
    .slice(1)
    .map((moment, index) => moment - (moments[index] as number))
    .toSorted((a, b) => a - b)
  return pauses[pauses.length >> 1] as number
}

/**
 * Whether the moments leave no hole: `look` is the time that is examined, `expected` the parts of it in
 * which the stream ran. `knownMs` is its interval as a list has shown it: events alone can't show that every
 * second one is lost.
 */
export function isWhole(
  moments: readonly number[],
  { expected, look }: { expected: readonly Range[]; look: Range },
  knownMs: number | null,
): boolean {
  const observed = intervalOf(moments)
  const intervalMs = Math.min(observed ?? Infinity, knownMs ?? Infinity)
  if (!Number.isFinite(intervalMs)) return false
  const atEnd = (end: number) =>
    intervalMs * (end === look.from || end === look.until ? HOLE_INTERVALS : PUSH_END_INTERVALS)
  return expected.every(({ from, until }) => {
    const inside = moments.filter((moment) => moment >= from && moment < until)
    const [first, last] = [inside[0] ?? until, inside.at(-1) ?? from]
    const isDense = inside
      .slice(1)
      .every((moment, index) => moment - (inside[index] as number) <= HOLE_INTERVALS * intervalMs)
    return isDense && first - from <= atEnd(from) && until - last <= atEnd(until)
  })
}
