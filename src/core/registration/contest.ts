// Notices two owners that keep overwriting each other. Three times somebody else's value after ours
// was confirmed, within an hour: then we stop, and write once an hour at most, until ours has stood
// for an hour. Kept in the ring, so that a restart does not forget it.

/** Drifts further apart than this are no contest, and are repaired. In a contest, the pause between looks. */
export const CONTEST_WINDOW_MS = 3_600_000
const OBSERVATIONS = 3

export type Contest = {
  /** When somebody else's value was seen, epoch ms, within the window. */
  readonly seenAt: readonly number[]
  /** The last write or, before one, the moment we stopped; epoch ms. Null: not contested. */
  readonly heldAt: number | null
}

export const NO_CONTEST: Contest = { seenAt: [], heldAt: null }

/** After somebody else's value was seen at `now`. */
export function afterDrift(contest: Contest, now: number): Contest {
  // While nothing is written anyway, nothing needs to be counted.
  if (isHeld(contest, now)) return contest
  const { seenAt, heldAt } = contest
  const recent = [...seenAt.filter((at) => isWithinWindow(at, now)), now]
  return { seenAt: recent, heldAt: heldAt ?? (recent.length >= OBSERVATIONS ? now : null) }
}

/** After our value was seen at `now`: over once ours has stood for the window. */
export function afterOurs(contest: Contest, now: number): Contest {
  return isHeld(contest, now) || contest.heldAt === null ? contest : NO_CONTEST
}

/** Whether nothing may be written yet. */
export function isHeld({ heldAt }: Contest, now: number): boolean {
  return heldAt !== null && isWithinWindow(heldAt, now)
}

/** After a write at `now`: the next one, if it is contested, waits for the window again. */
export function afterWrite(contest: Contest, now: number): Contest {
  return contest.heldAt === null ? contest : { ...contest, heldAt: now }
}

/** Also counts what is ahead by less: a clock that was put back must not hold us for long. */
function isWithinWindow(at: number, now: number): boolean {
  return Math.abs(now - at) < CONTEST_WINDOW_MS
}
