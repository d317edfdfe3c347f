// What may go from a log, decided on its oldest events: the same for every store. Pure.
import type { PruneStep } from '../ports/retention.ts'

/** Of the room of the store: what dead letters take beyond it goes before events do. */
const LETTERS_SHARE = 0.5
/** Bodies of one step, so that it takes milliseconds however large they are. At least one goes. */
export const MAX_STEP_BYTES = 4 * 1024 * 1024
/** A time of receipt that is ahead by more was taken from a wrong clock, and says nothing. */
const AHEAD_MS = 3_600_000

export type Oldest = { readonly seq: number; readonly receivedAt: number; readonly bytes: number }

/** What events are to give back, and whether dead letters are to make room instead. */
export function excessOf(
  { usedBytes, letterBytes }: { usedBytes: number; letterBytes: number },
  maxBytes: number,
): { readonly excess: number; readonly isCrowded: boolean } {
  const excess = Math.max(0, usedBytes - maxBytes)
  const isCrowded = excess > 0 && letterBytes > LETTERS_SHARE * maxBytes
  return { excess: isCrowded ? 0 : excess, isCrowded }
}

/** The first ones, until their bodies are larger than `most`: at least one. */
export function upToBytes<T extends { readonly bytes: number }>(
  rows: readonly T[],
  most: number,
): T[] {
  let bytes = 0
  return rows.filter((row, index) => {
    bytes += row.bytes
    return index === 0 || bytes <= most
  })
}

/**
 * The event up to which they may go. Each was received after those before it, whatever the clock
 * said: what was delivered goes with the last one that is old. What a sink lacks is held dearer: it
 * goes up to the first one that is not old, so that one wrong time can't take others along.
 */
export function lastToGo(
  oldest: readonly Oldest[],
  {
    deliveredBefore,
    anyBefore,
    at,
    had,
    excess,
    eventBytes,
  }: PruneStep & { readonly had: number; readonly excess: number; readonly eventBytes: number },
): Oldest | undefined {
  const isOld = ({ receivedAt }: Oldest) =>
    receivedAt < deliveredBefore || receivedAt > at + AHEAD_MS
  const delivered = oldest.findLast((event) => event.seq <= had && isOld(event))
  const firstYoung = oldest.findIndex(({ receivedAt }) => receivedAt >= anyBefore)
  const old = firstYoung === -1 ? oldest : oldest.slice(0, firstYoung)
  const candidates = [delivered, old.at(-1), enoughFor(excess, oldest, eventBytes)]
  return candidates.reduce(
    (best, event) => (event !== undefined && event.seq > (best?.seq ?? 0) ? event : best),
    undefined,
  )
}

/** The event up to which they take so many bytes; the last one where they take less. */
function enoughFor(
  bytes: number,
  oldest: readonly Oldest[],
  eventBytes: number,
): Oldest | undefined {
  if (bytes === 0) return undefined
  let sum = 0
  const last = oldest.find((event) => {
    sum += event.bytes + eventBytes
    return sum >= bytes
  })
  return last ?? oldest.at(-1)
}
