// What events say of their streams: the same for every store. Pure.
import { type NewEvent, understandEvent } from '../core/events/snapshot-event.ts'
import { withGap } from '../core/events/stream-state.ts'
import { fitName } from '../core/printable.ts'

/**
 * The provider's names are shorter (docs/provider.md#the-past); an object's name has at most 1,023
 * bytes.
 */
const MAX_NAME = 256
const MAX_OBJECT = 1_024

export type SeenEvent = { readonly event: NewEvent; readonly seq: number }
/** An empty app or stream is one that no body named. */
export type StreamName = { readonly domain: string; readonly app: string; readonly stream: string }

/** What the next shots are compared with. */
export type StreamState = {
  readonly seq: number
  readonly shotAt: number
  readonly seenAt: number
  readonly gaps: readonly number[]
}

export type Shot = {
  readonly seq: number
  readonly event: NewEvent
  readonly bucket: string | null
  readonly endpoint: string | null
  readonly object: string | null
  readonly capturedAt: number | null
  readonly shotAt: number
  readonly seenAt: number
}

/** The shots of each stream, under a key that no two streams share. */
export function groupByStream(
  seen: readonly SeenEvent[],
): ReadonlyMap<string, { readonly name: StreamName; readonly shots: readonly Shot[] }> {
  const byStream = new Map<string, { name: StreamName; shots: Shot[] }>()
  for (const { event, seq } of seen) {
    const { name, shot } = shotOf(event, seq)
    const key = keyOf(name)
    const group = byStream.get(key)
    if (group === undefined) byStream.set(key, { name, shots: [shot] })
    else group.shots.push(shot)
  }
  return byStream
}

export function keyOf({ domain, app, stream }: StreamName): string {
  return `${domain}\0${app}\0${stream}`
}

/** A stream with these shots; `latest` is the one to show, absent where a known one is newer. */
export function withShots(known: StreamState | undefined, shots: readonly Shot[]) {
  const inOrder = shots.toSorted((a, b) => a.shotAt - b.shotAt || a.seq - b.seq)
  const latest = inOrder.at(-1) as Shot
  const firstSeenAt = Math.min(...shots.map(({ seenAt }) => seenAt))
  const seenAt = Math.max(known?.seenAt ?? 0, ...shots.map((shot) => shot.seenAt))
  const counted = { events: shots.length, firstSeenAt }
  if (known !== undefined && !isNewer(latest, known)) {
    return { ...counted, state: { ...known, seenAt }, latest: undefined }
  }
  let gaps: readonly number[] = known?.gaps ?? []
  let shotAt = known?.shotAt
  for (const shot of inOrder) {
    if (shotAt !== undefined) gaps = withGap(gaps, shot.shotAt - shotAt)
    shotAt = Math.max(shotAt ?? 0, shot.shotAt)
  }
  const state: StreamState = { seq: latest.seq, shotAt: latest.shotAt, seenAt, gaps }
  return { ...counted, state, latest }
}

/** What is kept of the latest shot, in the order of the columns. */
export function shownOf({ seq, event, bucket, endpoint, object, capturedAt }: Shot) {
  return [seq, event.id, bucket, endpoint, object, capturedAt, event.receivedAt] as const
}

function isNewer(shot: Shot, known: StreamState): boolean {
  return shot.shotAt > known.shotAt || (shot.shotAt === known.shotAt && shot.seq > known.seq)
}

function shotOf(event: NewEvent, seq: number): { name: StreamName; shot: Shot } {
  const { domain, receivedAt, origin, occurredAt } = event
  const { app, stream, bucket, endpoint, object, capturedAt } = understandEvent(event)
  // No shot is taken after it was told of: a clock that is ahead would else stay the latest.
  const shotAt = Math.min(capturedAt ?? receivedAt, receivedAt)
  return {
    name: { domain, app: nameOf(app), stream: nameOf(stream) },
    shot: {
      seq,
      event,
      bucket: upTo(bucket, MAX_NAME),
      endpoint: upTo(endpoint, MAX_NAME),
      object: upTo(object, MAX_OBJECT),
      capturedAt,
      shotAt,
      // What was listed and not called back says when the stream was there, not that it is.
      seenAt: origin === 'callback' ? receivedAt : Math.min(occurredAt, receivedAt),
    },
  }
}

function nameOf(name: string | null): string {
  return name === null ? '' : fitName(name.slice(0, MAX_NAME))
}

/** No bucket and no object has a longer name. */
function upTo(text: string | null, most: number): string | null {
  return text !== null && text.length <= most ? fitName(text) : null
}
