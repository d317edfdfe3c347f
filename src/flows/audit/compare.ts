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
import type { SnapshotLists } from '../../ports/audit.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Intervals } from './intervals.ts'
import { type KeptReading, readShots, survey } from './kept-shots.ts'
import { createPace } from './pace.ts'
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
  readonly store: KeptReading
  readonly intervals: Intervals
  /** With one, a comparison is in no hurry: callbacks come first. */
  readonly clock?: Clock
}

type Candidate = {
  readonly name: StreamName
  readonly moments: readonly number[]
  readonly expected: readonly Range[]
  readonly isWhole: boolean
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
  const pace = createPace(clock, signal)
  const reading = { store, pace, domain, range }
  const surveyed = await survey(reading, signal)
  if (cannotCompare(surveyed)) return { kind: 'cannot_compare' }
  const running = pushes.filter(
    ({ from, until }) => (from ?? 0) < range.until && (until ?? Infinity) >= range.from,
  )
  pace.begin()
  const sorted = sortByStream(running, surveyed.named)
  const candidates = await candidatesOf(sorted.streams)

  const padded = { from: range.from - PAD_MS, until: range.until + PAD_MS }
  const isInside = ({ at }: { at: number }) => at >= range.from && at < range.until
  const listed = new Map<Candidate, Shot[]>()
  await ask(probesOf(candidates.filter(({ isWhole }) => isWhole)))
  pace.begin()
  // What the probes have shown may show more holes.
  const asked: Candidate[] = []
  for (const each of candidates) {
    if (!listed.has(each) && (askAll || !seemsWhole(each))) asked.push(each)
    await pace.turn()
  }
  await ask(asked)

  const kept = await keptOfAsked()
  const compared: ComparedStream[] = []
  pace.begin()
  for (const each of candidates) {
    const { name, moments } = each
    const shots = listed.get(each)
    const events = kept.streams.get(streamKey(name))?.kept ?? []
    compared.push({
      name,
      kept: moments.filter((at) => isInside({ at })).length,
      listed: shots?.filter(isInside) ?? null,
      missing: findMissing(shots ?? [], events).filter(isInside),
    })
    await pace.turn()
  }
  throwIfStopped(signal)
  return { kind: 'compared', streams: withoutClaimed(compared, kept.loose) }

  /** The streams that ran, or of which something is kept. */
  async function candidatesOf(streams: typeof sorted.streams): Promise<Candidate[]> {
    const pushesByStream = Map.groupBy(running, streamKey)
    const found: Candidate[] = []
    for (const [key, { name, kept: named }] of streams) {
      if (!isMeant(name)) continue
      const moments = momentsOf(named.flatMap(({ times }) => times))
      const expected = expectedIn(range, pushesByStream.get(key))
      if (expected.length === 0 && moments.length === 0) continue
      const candidate = { name, moments, expected }
      found.push({ ...candidate, isWhole: seemsWhole(candidate) })
      await pace.turn()
    }
    return found
  }

  function seemsWhole({ name, moments, expected }: Omit<Candidate, 'isWhole'>): boolean {
    return isWhole(moments, { expected, look: range }, intervals.of(name))
  }

  /** All that is kept of the streams with listed shots, and what names no stream. */
  async function keptOfAsked() {
    const needed = new Set(
      candidates
        .filter((each) => (listed.get(each)?.length ?? 0) > 0)
        .map(({ name }) => streamKey(name)),
    )
    if (needed.size === 0) return sortByStream<KeptShot>(running, [])
    const except = [...sorted.streams]
      .filter(([key]) => !needed.has(key))
      .flatMap(([, { kept }]) => kept.map(({ app, stream }) => ({ app, stream })))
    const shots = await readShots({ ...reading, except }, signal)
    pace.begin()
    const found = sortByStream(running, shots)
    await pace.turn()
    return found
  }

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
