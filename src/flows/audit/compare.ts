// Compares one stretch of time of one domain: what the provider lists with what the log has. Only
// streams whose events leave a hole are asked for, so that the cost follows the trouble.
import { intervalOf, isWhole, momentsOf } from '../../core/audit/holes.ts'
import { clipRanges, type Range } from '../../core/audit/ranges.ts'
import {
  findMissing,
  groupShots,
  type KeptShot,
  PAD_MS,
  type Push,
  type Shot,
  type StreamName,
} from '../../core/audit/shots.ts'
import { cannotCompare } from '../../core/audit/state.ts'
import { sortByStream, streamKey } from '../../core/audit/stream-names.ts'
import type { AuditStore, SnapshotLists } from '../../ports/audit.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Intervals } from './intervals.ts'
import { readKept } from './kept-shots.ts'
import { throwIfStopped } from './stop.ts'

/** Calls under way at a time; the pacer spaces them, and each takes a while to be answered. */
const CONCURRENT_CALLS = 8
/** Streams that look whole, and are asked for all the same to learn the interval of their app. */
const MAX_PROBES = 3

export type ComparedStream = {
  readonly name: StreamName
  /** Moments that the log has. */
  readonly kept: number
  /** Null: nothing seems to be missing, and the provider was not asked. */
  readonly listed: readonly Shot[] | null
  readonly missing: readonly Shot[]
}

export type Comparison =
  | { readonly kind: 'cannot_compare' }
  | { readonly kind: 'compared'; readonly streams: readonly ComparedStream[] }

export type Comparer = {
  readonly lists: SnapshotLists
  readonly store: Pick<AuditStore, 'readBetween'>
  readonly intervals: Intervals
  /** With one, events are read in no hurry: appends of callbacks wait while they are. */
  readonly clock?: Clock
}

type Candidate = {
  readonly name: StreamName
  readonly kept: readonly KeptShot[]
  readonly moments: readonly number[]
  readonly expected: readonly Range[]
}

/** Compares `range`, in which `pushes` ran. `isMeant` narrows the streams; `askAll`: also whole ones. */
export async function compare(
  { lists, store, intervals, clock }: Comparer,
  wanted: {
    readonly domain: string
    readonly range: Range
    readonly pushes: readonly Push[]
    readonly isMeant?: (name: StreamName) => boolean
    readonly askAll?: boolean
  },
  signal: AbortSignal,
): Promise<Comparison> {
  const { domain, range, pushes, isMeant = () => true, askAll = false } = wanted
  const kept = await readKept({ store, clock }, domain, range, signal)
  if (cannotCompare(kept)) return { kind: 'cannot_compare' }
  const running = pushes.filter(
    ({ from, until }) => (from ?? 0) < range.until && (until ?? Infinity) >= range.from,
  )
  const { streams, loose } = sortByStream(running, kept.shots)
  const pushesByStream = Map.groupBy(running, streamKey)
  const candidates = [...streams]
    .filter(([, { name }]) => isMeant(name))
    .map(([key, { name, kept: events }]): Candidate => {
      const moments = momentsOf(
        events.map(({ capturedAt, occurredAt }) => capturedAt ?? occurredAt),
      )
      return { name, kept: events, moments, expected: expectedIn(range, pushesByStream.get(key)) }
    })
    .filter(({ moments, expected }) => expected.length > 0 || moments.length > 0)

  const padded = { from: range.from - PAD_MS, until: range.until + PAD_MS }
  const isInside = ({ at }: { at: number }) => at >= range.from && at < range.until
  const listed = new Map<Candidate, Shot[]>()
  const seemsWhole = ({ name, moments, expected }: Candidate) =>
    isWhole(moments, { expected, look: range }, intervals.of(name))
  await ask(probesOf(candidates.filter(seemsWhole)))
  await ask(candidates.filter((each) => !listed.has(each) && (askAll || !seemsWhole(each))))

  const compared = candidates.map((each): ComparedStream => {
    const shots = listed.get(each)
    return {
      name: each.name,
      kept: each.moments.filter((at) => isInside({ at })).length,
      listed: shots?.filter(isInside) ?? null,
      missing: findMissing(shots ?? [], each.kept).filter(isInside),
    }
  })
  return { kind: 'compared', streams: withoutClaimed(compared, loose) }

  async function ask(asked: readonly Candidate[]): Promise<void> {
    const rest = asked.values()
    // The first fault ends all of it: it is tried again as a whole.
    const failed = new AbortController()
    const until = AbortSignal.any([signal, failed.signal])
    const work = async () => {
      for (const each of rest) {
        if (until.aborted) return
        const shots = groupShots(await lists.shots({ domain, ...each.name }, padded, until))
        listed.set(each, shots)
        const intervalMs = intervalOf(shots.map(({ at }) => at))
        if (intervalMs !== null) intervals.learn(each.name, intervalMs)
      }
    }
    const works = Array.from({ length: CONCURRENT_CALLS }, work)
    try {
      await Promise.all(works)
    } finally {
      failed.abort()
      await Promise.allSettled(works)
    }
    throwIfStopped(signal)
  }

  /** One stream of each app whose interval no list has shown. */
  function probesOf(whole: readonly Candidate[]): Candidate[] {
    const unknown = whole.filter(({ name }) => intervals.of(name) === null)
    const oneOfEach = Map.groupBy(unknown, ({ name }) => name.app)
    return [...oneOfEach.values()].flatMap(([first]) => first ?? []).slice(0, MAX_PROBES)
  }
}

/** When a stream ran, in `range`; all the time where no push of it is listed. */
function expectedIn(range: Range, pushes: readonly Push[] = []): Range[] {
  if (pushes.length === 0) return [range]
  return clipRanges(
    pushes.map(({ from, until }) => ({ from: from ?? range.from, until: until ?? range.until })),
    range,
  )
}

/** An event that names no stream may be any of the missing shots: one event, one shot. */
function withoutClaimed(
  streams: readonly ComparedStream[],
  loose: readonly KeptShot[],
): readonly ComparedStream[] {
  if (loose.length === 0) return streams
  const all = streams.flatMap(({ missing }) => missing)
  const timeless = loose.map((event) => ({ ...event, capturedAt: null }))
  const left = new Set(findMissing(all, timeless))
  return streams.map((stream) => ({
    ...stream,
    missing: stream.missing.filter((shot) => left.has(shot)),
  }))
}
