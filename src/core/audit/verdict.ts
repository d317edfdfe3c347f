// Whether what is missing may be filled in unasked. A few lost callbacks look one way, callbacks that
// arrive at another replica, or nowhere, another: those are never filled unasked. Pure.

/** More of what is listed may not be missing. */
const MAX_MISSING_SHARE = 0.25
/** From so many listed shots on, a large share is no accident. */
const ENOUGH_SHOTS = 20
/** From such a stretch of time on, it is judged however few they are. */
const ENOUGH_MS = { doubtful: 10 * 60_000, fill: 60 * 60_000 }
/**
 * The chance that a replica which gets every second callback by the toss of a coin sees so few
 * missing: it must be this small before anything is filled.
 */
const MAX_CHANCE = 1e-4

export type Evidence = {
  /** Shots that the streams asked for list, in times in which callbacks were taken. */
  readonly listed: number
  readonly missing: number
  /** The time that these shots were looked for in. */
  readonly judgedMs: number
}

/** `wait`: too little to go by, and more time will tell. */
export type Verdict = 'fill' | 'doubtful' | 'wait'

/** Judges what is missing of times in which callbacks were taken. */
export function judge({ listed, missing, judgedMs }: Evidence): Verdict {
  if (missing === 0) return 'fill'
  if (missing > MAX_MISSING_SHARE * listed) {
    return listed >= ENOUGH_SHOTS || judgedMs >= ENOUGH_MS.doubtful ? 'doubtful' : 'wait'
  }
  const isClear = chanceOfHalves(listed, missing) <= MAX_CHANCE
  return isClear || judgedMs >= ENOUGH_MS.fill ? 'fill' : 'wait'
}

/** The chance of at most `missing` heads in `listed` tosses of a fair coin. */
export function chanceOfHalves(listed: number, missing: number): number {
  let term = listed * Math.log(0.5)
  let sum = Math.exp(term)
  for (let heads = 1; heads <= missing; heads += 1) {
    term += Math.log((listed - heads + 1) / heads)
    sum += Math.exp(term)
  }
  return Math.min(1, sum)
}
