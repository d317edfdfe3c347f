// One step of a backfill: the next window of what somebody has asked for is compared and filled,
// without a judgement: whoever asks for it knows why shots are missing.

import type { StreamName } from '../../core/audit/shots.ts'
import { streamKey } from '../../core/audit/stream-names.ts'
import { fitWindow, MAX_WINDOW_MS } from '../../core/audit/windows.ts'
import type { Backfill } from '../../ports/audit.ts'
import type { AuditDeps } from './audit-window.ts'
import { compare } from './compare.ts'
import { fill, missingOf } from './fill.ts'

export type BackfillOutcome =
  /** What is left is not old enough yet. */
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'moved'
      readonly missed: number
      readonly filled: number
      readonly isEnd: boolean
      readonly problem: string | null
    }

const NOT_COMPARED =
  'in a part of the time half of the bodies or more show no object or no stream: nothing was filled there'

/** Makes the next step of a backfill. */
export async function backfillWindow(
  deps: AuditDeps,
  backfill: Backfill,
  now: number,
  signal: AbortSignal,
): Promise<BackfillOutcome> {
  const { store, lists, marginMs } = deps
  const { id, domain, stream, doneUntil: from } = backfill
  const until = Math.min(from + MAX_WINDOW_MS, backfill.until, now - marginMs)
  if (until <= from && from < backfill.until) return { kind: 'waiting' }
  const pushes = await lists.pushes(domain, { from, until }, signal)
  const window = fitWindow({ from, until }, new Set(pushes.map(streamKey)).size)
  const isEnd = window.until >= backfill.until
  const compared = await compare(
    deps,
    { domain, range: window, pushes, isMeant: (name) => isStream(name, stream) },
    signal,
  )
  if (compared.kind === 'cannot_compare') {
    const counts = { listed: 0, missed: 0 }
    await store.fill([], {
      ...{ kind: 'backfill', id, doneUntil: window.until, isEnd },
      ...{ ...counts, problem: NOT_COMPARED },
    })
    return { kind: 'moved', missed: 0, filled: 0, isEnd, problem: NOT_COMPARED }
  }
  // A fault is over when it goes on; what was not compared stays so.
  const problem = backfill.problem === NOT_COMPARED ? NOT_COMPARED : null
  const listed = compared.streams.reduce((sum, each) => sum + (each.listed?.length ?? 0), 0)
  const missing = missingOf(compared.streams)
  const filled = await fill(
    store,
    { domain, missing, until: window.until, foundAt: now },
    (doneUntil, { events, isLast }) => ({
      ...{ kind: 'backfill', id, doneUntil, missed: events },
      ...{ listed: isLast ? listed : 0, isEnd: isLast && isEnd, problem },
    }),
  )
  return { kind: 'moved', missed: missing.length, filled, isEnd, problem }
}

/** `app/stream`, or the stream of any app. */
export function isStream({ app, stream }: StreamName, wanted: string | null): boolean {
  if (wanted === null) return true
  const given = wanted.toLowerCase()
  return [stream, `${app}/${stream}`].some((name) => name.toLowerCase() === given)
}
