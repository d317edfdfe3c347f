// One step of the audit of a domain: the next window of time is compared. What is missing is filled in,
// or becomes a gap; either is committed together with how far the audit has come.
import { clipRanges, isWithin, joinRanges, lengthOf, type Range } from '../../core/audit/ranges.ts'
import { streamKey } from '../../core/audit/stream-names.ts'
import { judge } from '../../core/audit/verdict.ts'
import { cutRange, fitLookBack, fitWindow, nextWindow } from '../../core/audit/windows.ts'
import type { AuditGap, AuditRecord, AuditStore } from '../../ports/audit.ts'
import { type ComparedStream, type Comparer, compare } from './compare.ts'
import { fill, type Missing, missingOf } from './fill.ts'

/** Seen once more with the window: a list may be later than the margin, and a judgement needs shots. */
const LOOK_BACK_MS = 10 * 60_000
/** Seen once more while in doubt: what ends it must be beyond doubt. */
const DOUBTFUL_LOOK_BACK_MS = 60 * 60_000
/** Before callbacks were not taken any more, those under way were lost with all their tries. */
const UNDER_WAY_MS = 35_000

export type WindowOutcome =
  /** Nothing is old enough. */
  | { readonly kind: 'done' }
  /** There is too little to judge by: more time will tell. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'too_old'; readonly gap: AuditGap }
  | { readonly kind: 'cannot_compare'; readonly gap: AuditGap }
  /** Nothing is expected of a domain that was deregistered. */
  | { readonly kind: 'released' }
  | { readonly kind: 'doubtful'; readonly window: Range; readonly missed: number }
  | {
      readonly kind: 'filled'
      readonly window: Range
      readonly missed: number
      readonly filled: number
    }

export type AuditDeps = Omit<Comparer, 'store'> & {
  readonly store: AuditStore
  readonly marginMs: number
}

/** Makes the next step from what is recorded. */
export async function auditWindow(
  deps: AuditDeps,
  record: AuditRecord,
  now: number,
  signal: AbortSignal,
): Promise<WindowOutcome> {
  const { store, lists, marginMs } = deps
  const { domain, auditedUntil, isDoubtful } = record
  const cut = cutRange(auditedUntil, now)
  if (cut !== null) {
    // A clock that is far ahead makes all of it look old. The provider refuses calls from there.
    await lists.pushes(domain, { from: cut.until, until: cut.until + 1_000 }, signal)
    return skip({ ...cut, reason: 'too_old', missed: 0 })
  }
  const next = nextWindow(auditedUntil, now, marginMs)
  if (next === null) return { kind: 'done' }
  const pushes = await lists.pushes(domain, lookAt(next), signal)
  const count = new Set(pushes.map(streamKey)).size
  const window = fitWindow(next, count)
  const look = lookAt(window, count)
  const compared = await compare(deps, { domain, range: look, pushes }, signal)
  if (compared.kind === 'cannot_compare') {
    return skip({ ...window, reason: 'cannot_compare', missed: 0 })
  }

  const notTaking = unexpected(record)
  const { streams } = compared
  const evidence = evidenceOf(streams, { look, notTaking })
  const missing = missingOf(streams)
  // Times without callbacks say nothing for or against another replica: the last judgement stands.
  const isStillInDoubt = isDoubtful && evidence.listed === 0
  const verdict = isStillInDoubt && missing.length > 0 ? 'doubtful' : judge(evidence)
  switch (verdict) {
    case 'wait':
      return { kind: 'waiting' }
    case 'doubtful':
      return leave(missing)
    case 'fill':
      return fillIn(missing)
  }

  function lookAt({ from, until }: Range, streams = 0): Range {
    const backMs = fitLookBack(isDoubtful ? DOUBTFUL_LOOK_BACK_MS : LOOK_BACK_MS, streams)
    return { from: Math.max(Math.min(record.since, from), from - backMs), until }
  }

  async function skip(gap: AuditGap & { reason: 'too_old' | 'cannot_compare' }) {
    const progress = { kind: 'audit', domain, auditedUntil: gap.until, isDoubtful, gap } as const
    await store.fill([], progress)
    return { kind: gap.reason, gap }
  }

  async function leave(found: readonly Missing[]): Promise<WindowOutcome> {
    const missed = found.filter(({ shot }) => shot.at >= window.from).length
    const gap = { ...window, reason: 'doubtful', missed } as const
    const progress = { kind: 'audit', domain, auditedUntil: window.until } as const
    await store.fill([], { ...progress, isDoubtful: true, gap })
    return { kind: 'doubtful', window, missed }
  }

  async function fillIn(found: readonly Missing[]): Promise<WindowOutcome> {
    // What was left in doubt before the window stays so, until somebody asks for it.
    const mine = found.filter(({ shot }) => !isWithin(shot.at, record.gaps))
    const stillInDoubt = isDoubtful && !showsHealth(streams, evidence.listed)
    const filled = await fill(
      store,
      { domain, missing: mine, until: window.until, foundAt: now },
      (until) => ({
        kind: 'audit',
        domain,
        auditedUntil: until,
        isDoubtful: stillInDoubt,
        gap: null,
      }),
    )
    return { kind: 'filled', window, missed: mine.length, filled }
  }
}

/** Passes over the time up to `until` in which a domain was deregistered, and says so. */
export async function passOver(
  store: Pick<AuditStore, 'fill'>,
  { domain, auditedUntil: from, isDoubtful }: AuditRecord,
  until: number,
): Promise<WindowOutcome> {
  if (until > from) {
    const gap = { from, until, reason: 'released', missed: 0 } as const
    await store.fill([], { kind: 'audit', domain, auditedUntil: until, isDoubtful, gap })
  }
  return { kind: 'released' }
}

/** Times whose callbacks are expected to be missing: none were taken (with those under way), or none were due. */
function unexpected({ notTaking, since, gaps }: AuditRecord): Range[] {
  const padded = notTaking.map(({ from, until }) => ({ from: from - UNDER_WAY_MS, until }))
  const released = gaps.filter(({ reason }) => reason === 'released')
  return joinRanges([{ from: Number.NEGATIVE_INFINITY, until: since }, ...padded, ...released])
}

/** What the streams that were asked for list, in times in which callbacks were taken. */
function evidenceOf(
  streams: readonly ComparedStream[],
  { look, notTaking }: { look: Range; notTaking: readonly Range[] },
) {
  const isTaken = ({ at }: { at: number }) => !isWithin(at, notTaking)
  const asked = streams.filter(({ listed }) => listed !== null)
  return {
    listed: asked.flatMap(({ listed }) => listed ?? []).filter(isTaken).length,
    missing: asked.flatMap(({ missing }) => missing).filter(isTaken).length,
    judgedMs: look.until - look.from - lengthOf(clipRanges(notTaking, look)),
  }
}

/** Whether callbacks are seen to arrive. */
function showsHealth(streams: readonly ComparedStream[], listed: number): boolean {
  return listed > 0 || streams.some(({ kept }) => kept > 0)
}
