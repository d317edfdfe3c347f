// Which of the listed shots the log has. A shot is one snapshot of one stream at one moment, however
// often it is listed or called back: it may be stored twice (a sequence of objects, and one object
// that is overwritten), and it may be called back once for each. Pure. Times are epoch ms.

/** Shots are at least 5 s apart; entries and events that are closer than this are one shot. */
export const SAME_SHOT_MS = 1_500
/** An object of the same name further from the listed moment belongs to another shot. */
const SAME_OBJECT_MS = 15 * 60_000
/** A callback without capture time may have been signed with its last try: half a minute after. */
const LATEST_SIGNING_MS = 35_000
/**
 * Shots and events so long before and after a stretch of time are looked at with it: an event of one
 * of those must not be taken for one of a shot inside.
 */
export const PAD_MS = 60_000

export type StreamName = { readonly app: string; readonly stream: string }

/** A push of a stream; null where the list leaves an end open. */
export type Push = StreamName & { readonly from: number | null; readonly until: number | null }

/** One entry of the provider's list. */
export type ListedShot = {
  readonly at: number
  readonly object: string | null
  readonly bucket: string | null
  readonly endpoint: string | null
  readonly isOverlay: boolean
  /** As listed; `at` is the latter where both are there. */
  readonly createTime: string | null
  readonly createTimestamp: number | null
}

/** What an event in the log says of a shot. */
export type KeptShot = {
  readonly app: string | null
  readonly stream: string | null
  readonly object: string | null
  readonly capturedAt: number | null
  /** The capture time, else the signed time. */
  readonly occurredAt: number
  readonly isCallback: boolean
}

/** One shot with all its entries, the one in sequence mode first where there is one. */
export type Shot = { readonly at: number; readonly entries: readonly [ListedShot, ...ListedShot[]] }

/** The shots that a list shows, in order, each once. */
export function groupShots(listed: readonly ListedShot[]): Shot[] {
  const groups: { at: number; entries: [ListedShot, ...ListedShot[]] }[] = []
  const inOrder = listed.toSorted(
    (a, b) =>
      a.at - b.at ||
      Number(a.isOverlay) - Number(b.isOverlay) ||
      (a.object ?? '').localeCompare(b.object ?? '', 'en'),
  )
  for (const entry of inOrder) {
    const last = groups.at(-1)
    if (last !== undefined && entry.at - last.at <= SAME_SHOT_MS) last.entries.push(entry)
    else groups.push({ at: entry.at, entries: [entry] })
  }
  for (const { entries } of groups) {
    entries.sort((a, b) => Number(a.isOverlay) - Number(b.isOverlay))
  }
  return groups
}

/** The shots of one stream that none of its kept events tells of. */
export function findMissing(shots: readonly Shot[], kept: readonly KeptShot[]): Shot[] {
  const objects = Map.groupBy(
    kept.filter(({ object }) => object !== null),
    ({ object }) => plainObject(object as string),
  )
  const captured = kept.flatMap(({ capturedAt }) => capturedAt ?? []).toSorted((a, b) => a - b)
  const used = new Set<KeptShot>()
  const missing = shots.filter(({ entries }) => {
    const known = entries.flatMap((entry) => eventsWithObjectOf(entry, objects))
    for (const event of known) used.add(event)
    return known.length === 0 && !entries.some(({ at }) => isNear(at, captured))
  })
  const timeless = kept.filter((event) => event.capturedAt === null && !used.has(event))
  return leftAfterClaims(missing, timeless)
}

/**
 * Events that show no capture time can't be told apart: each stands for the last shot before it was
 * signed that no other stands for. What no event stands for is missing.
 */
function leftAfterClaims(missing: readonly Shot[], events: readonly KeptShot[]): Shot[] {
  const left = missing.toSorted((a, b) => a.at - b.at)
  for (const { occurredAt } of events.toSorted((a, b) => a.occurredAt - b.occurredAt)) {
    const index = firstAfter(occurredAt + SAME_SHOT_MS, left) - 1
    const last = left[index]
    if (last !== undefined && last.at >= occurredAt - LATEST_SIGNING_MS) left.splice(index, 1)
  }
  return left
}

/** Where, of shots in order, those begin that are later than `at`. */
function firstAfter(at: number, shots: readonly Shot[]): number {
  let low = 0
  let high = shots.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((shots[middle] as Shot).at <= at) low = middle + 1
    else high = middle
  }
  return low
}

function eventsWithObjectOf(
  { at, object, isOverlay }: ListedShot,
  objects: ReadonlyMap<string, KeptShot[]>,
): KeptShot[] {
  // Every shot of overwrite mode has the same object.
  if (object === null || isOverlay) return []
  const events = objects.get(plainObject(object)) ?? []
  return events.filter(({ occurredAt }) => Math.abs(occurredAt - at) <= SAME_OBJECT_MS)
}

function plainObject(object: string): string {
  return object.replace(/^\/+/, '')
}

/** Whether any of the sorted times is within one shot of `at`. */
function isNear(at: number, times: readonly number[]): boolean {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] as number) < at - SAME_SHOT_MS) low = middle + 1
    else high = middle
  }
  const next = times[low]
  return next !== undefined && next <= at + SAME_SHOT_MS
}
