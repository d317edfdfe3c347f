// Commits what is missing in small pieces, in order of time, each together with how far it has come:
// killed between two of them, the audit goes on where it was.
import { filledEvent } from '../../core/audit/filled-event.ts'
import type { Shot, StreamName } from '../../core/audit/shots.ts'
import type { AuditProgress, AuditStore } from '../../ports/audit.ts'
import type { ComparedStream } from './compare.ts'

/** Events of one commit: the appends of callbacks wait for a few milliseconds. */
const COMMIT_EVENTS = 200

export type Missing = { readonly name: StreamName; readonly shot: Shot }

/** What is missing of all streams, in order of time. */
export function missingOf(streams: readonly ComparedStream[]): Missing[] {
  return streams
    .flatMap(({ name, missing }) => missing.map((shot) => ({ name, shot })))
    .toSorted((a, b) => a.shot.at - b.shot.at)
}

/**
 * Makes events of `missing` and commits them. `progress` says what goes with a commit after which
 * everything before `until` is done. Resolves with how many events were new.
 */
export async function fill(
  store: Pick<AuditStore, 'fill'>,
  found: {
    readonly domain: string
    readonly missing: readonly Missing[]
    readonly until: number
    readonly foundAt: number
  },
  progress: (until: number, part: { events: number; isLast: boolean }) => AuditProgress,
): Promise<number> {
  const { domain, missing, until, foundAt } = found
  let filled = 0
  let begun = 0
  do {
    const part = missing.slice(begun, begun + COMMIT_EVENTS)
    begun += part.length
    const next = missing[begun]
    const events = part.map(({ name, shot }) => filledEvent(domain, name, shot, foundAt))
    const isLast = next === undefined
    const doneUntil = isLast ? until : next.shot.at
    filled += await store.fill(events, progress(doneUntil, { events: events.length, isLast }))
  } while (begun < missing.length)
  return filled
}
