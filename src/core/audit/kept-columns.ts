// What the events of a log say to the audit. Thousands go from the store to a comparison at a time, so
// they go as columns. Pure.
import { type StoredEvent, understandEvent } from '../events/snapshot-event.ts'
import type { KeptShot } from './shots.ts'

/** A name as a body gave it; null where it gave none. */
export type GivenName = { readonly app: string | null; readonly stream: string | null }

/** How an event came, and what its body shows. */
export const KEPT_KINDS = {
  /** Not called back. */
  found: 0,
  clear: 1,
  /** Called back, with no object or no stream. */
  unclear: 2,
} as const

/** Events in order of time, a row each. */
export type KeptColumns = {
  /** Each pair once. */
  readonly names: readonly GivenName[]
  /** Whose an event is: its place in `names`. */
  readonly nameOf: Uint32Array
  /** Epoch ms. */
  readonly occurredAt: Float64Array
  /** Of `KEPT_KINDS`. */
  readonly kinds: Uint8Array
}

/** What the audit needs of an event. */
export type AuditedEvent = Pick<
  StoredEvent,
  'domain' | 'origin' | 'receivedAt' | 'occurredAt' | 'body'
>

/** Gathers events as columns. */
export function createKeptColumns() {
  const names: GivenName[] = []
  const places = new Map<string | null, Map<string | null, number>>()
  const nameOf: number[] = []
  const times: number[] = []
  const kinds: number[] = []

  function placeOf({ app, stream }: GivenName): number {
    let ofApp = places.get(app)
    if (ofApp === undefined) {
      ofApp = new Map()
      places.set(app, ofApp)
    }
    const known = ofApp.get(stream)
    if (known !== undefined) return known
    ofApp.set(stream, names.length)
    return names.push({ app, stream }) - 1
  }

  return {
    add(event: AuditedEvent): void {
      const { app, stream, object, occurredAt, isCallback } = keptShotOf(event)
      const isClear = object !== null && stream !== null
      nameOf.push(placeOf({ app, stream }))
      times.push(occurredAt)
      kinds.push(isCallback ? (isClear ? KEPT_KINDS.clear : KEPT_KINDS.unclear) : KEPT_KINDS.found)
    },

    columns: (): KeptColumns => ({
      names,
      nameOf: Uint32Array.from(nameOf),
      occurredAt: Float64Array.from(times),
      kinds: Uint8Array.from(kinds),
    }),
  }
}

/** Gathers events but those of some names. */
export function createKeptShots(except: readonly GivenName[]) {
  const others = new Map<string | null, Set<string | null>>()
  for (const { app, stream } of except) {
    const ofApp = others.get(app) ?? new Set()
    others.set(app, ofApp.add(stream))
  }
  const shots: KeptShot[] = []
  return {
    shots,
    add(event: AuditedEvent): void {
      const shot = keptShotOf(event)
      if (others.get(shot.app)?.has(shot.stream) !== true) shots.push(shot)
    },
  }
}

function keptShotOf(event: AuditedEvent): KeptShot {
  const { app, stream, object, capturedAt } = understandEvent(event)
  const { occurredAt, origin } = event
  return { app, stream, object, capturedAt, occurredAt, isCallback: origin === 'callback' }
}
