// What the log has of a range of time, as far as a comparison needs it: read in small pieces, since
// the commits of callbacks wait meanwhile.
import type { Range } from '../../core/audit/ranges.ts'
import { type KeptShot, PAD_MS } from '../../core/audit/shots.ts'
import { type StoredEvent, understandEvent } from '../../core/events/snapshot-event.ts'
import type { AuditStore, EventPlace } from '../../ports/audit.ts'
import type { Clock } from '../../ports/clock.ts'
import { throwIfStopped } from './stop.ts'

/** A read of so many events takes a few milliseconds. */
const READ_EVENTS = 500
/** Of the time of a read, what is waited before the next: callbacks come first. */
const REST_SHARE = 9

export type Kept = {
  readonly shots: readonly KeptShot[]
  /** Callbacks that occurred in the range itself, and those that show no object or no stream. */
  readonly callbacks: number
  readonly unclear: number
}

/** Reads the events of a domain in a range, and a little around it; with a clock, in no hurry. */
export async function readKept(
  { store, clock }: { store: Pick<AuditStore, 'readBetween'>; clock?: Clock | undefined },
  domain: string,
  range: Range,
  signal: AbortSignal,
): Promise<Kept> {
  const padded = { from: range.from - PAD_MS, until: range.until + PAD_MS }
  const shots: KeptShot[] = []
  let callbacks = 0
  let unclear = 0
  let after: EventPlace | null = null
  for (;;) {
    throwIfStopped(signal)
    const begunAt = clock?.elapsed() ?? 0
    const events: StoredEvent[] = await store.readBetween(domain, padded, READ_EVENTS, after)
    for (const event of events) {
      const shot = shotOf(event)
      shots.push(shot)
      const { isCallback, occurredAt } = shot
      if (!isCallback || occurredAt < range.from || occurredAt >= range.until) continue
      callbacks += 1
      if (shot.object === null || shot.stream === null) unclear += 1
    }
    const last = events.at(-1)
    if (last === undefined || events.length < READ_EVENTS) return { shots, callbacks, unclear }
    after = { occurredAt: last.occurredAt, id: last.id }
    await clock?.sleep(REST_SHARE * (clock.elapsed() - begunAt), signal)
  }
}

function shotOf(event: StoredEvent): KeptShot {
  const { app, stream, object, capturedAt } = understandEvent(event)
  const { occurredAt, origin } = event
  return { app, stream, object, capturedAt, occurredAt, isCallback: origin === 'callback' }
}
