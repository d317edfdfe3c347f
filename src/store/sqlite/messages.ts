// What goes to the writer in one message, and what comes back: events to append, events read.
// Events travel as columns, their numbers and bodies in one buffer that is handed over: structured
// clone is slow on many small values, and would copy the whole pool that a small body may be a view of.
import type { RejectedEvent } from '../../core/delivery/outcome.ts'
import type { Understood } from '../../core/events/callback.ts'
import type { NewEvent, StoredEvent } from '../../core/events/snapshot-event.ts'
import type { AuditProgress } from '../../ports/audit.ts'
import type { DeadLetterChange } from '../../ports/dead-letters.ts'
import type { Fault } from './faults.ts'

export type Columns = {
  readonly count: number
  /** `NUMBERS` of each event, then the bodies, one after the other. */
  readonly buffer: ArrayBuffer
  /** The identities, one after the other. */
  readonly ids: string
  /** Domains, origins, and names of streams. */
  readonly texts: readonly string[]
}

/** What an event has in numbers: texts by where they are, and where its body and its identity end. */
const NUMBERS = 9
const NUMBER_BYTES = Float64Array.BYTES_PER_ELEMENT
const NO_TEXT = -1
/** In place of a stream's name, where nobody has read the body. */
const NOT_READ = -2
/** Texts of a group that a new one is compared with: most groups have few domains and apps. */
const MAX_LOOKED_FOR = 8

/** What the body of an event says of its stream. */
export type Sighting = Pick<Understood, 'app' | 'stream' | 'capturedAt'>

/** What is written beside events, each with a number or null for an answer. */
export type Write =
  | {
      readonly kind: 'ring'
      readonly domain: string
      readonly content: string
      readonly revision: number
    }
  | {
      readonly kind: 'cursor'
      readonly sink: string
      readonly seq: number
      /** Epoch ms. */
      readonly at: number
      readonly rejected?: readonly RejectedEvent[]
    }
  | { readonly kind: 'dead_letters'; readonly change: DeadLetterChange }
  | { readonly kind: 'receiving_time'; readonly seconds: number }
  | { readonly kind: 'unsigned'; readonly domain: string; readonly count: number }
  | {
      readonly kind: 'fill'
      readonly events: Columns
      readonly progress: AuditProgress
      /** Epoch ms. */
      readonly at: number
    }

export type Batch = { readonly events: Columns; readonly writes: readonly Write[] }

/** In the order of the batch. */
export type Committed = {
  /** How long the transaction took. */
  readonly seconds: number
  readonly seqs: readonly (number | Fault)[]
  readonly duplicates: readonly boolean[]
  readonly writes: readonly (number | null | Fault)[]
}

/** Events as they were read, with their seqs. */
export type StoredColumns = { readonly seqs: readonly number[]; readonly events: Columns }

/** Copies that hold no more than the body: a clone would take along all that it is a view of. */
export function packRejected(rejected: readonly RejectedEvent[]): RejectedEvent[] {
  return rejected.map(({ event, ...rest }) => ({
    ...rest,
    event: { ...event, body: new Uint8Array(event.body) },
  }))
}

export function packStored(events: readonly StoredEvent[]): StoredColumns {
  return { seqs: events.map(({ seq }) => seq), events: packEvents(events) }
}

export function unpackStored({ seqs, events }: StoredColumns): StoredEvent[] {
  const unpacked = unpackEvents(events) as (NewEvent & { seq: number })[]
  for (const [row, event] of unpacked.entries()) event.seq = seqs[row] as number
  return unpacked
}

/** `understood` goes along as far as streams need it, so that no body is read twice. */
export function packEvents(
  events: readonly NewEvent[],
  understood: readonly (Understood | undefined)[] = [],
): Columns {
  let end = events.length * NUMBERS * NUMBER_BYTES
  const buffer = new ArrayBuffer(events.reduce((sum, { body }) => sum + body.byteLength, end))
  const numbers = new Float64Array(buffer, 0, events.length * NUMBERS)
  const bytes = new Uint8Array(buffer)
  const texts: string[] = []
  let ids = ''
  let at = 0
  for (const [row, { id, domain, origin, receivedAt, occurredAt, body }] of events.entries()) {
    const read = understood[row]
    bytes.set(body, end)
    end += body.byteLength
    ids += id
    numbers[at++] = receivedAt
    numbers[at++] = occurredAt
    numbers[at++] = end
    numbers[at++] = ids.length
    numbers[at++] = placeOf(domain, texts)
    numbers[at++] = placeOf(origin, texts)
    numbers[at++] = placeOf(read?.app ?? null, texts)
    numbers[at++] = read === undefined ? NOT_READ : placeOfNew(read.stream, texts)
    numbers[at++] = read?.capturedAt ?? Number.NaN
  }
  return { count: events.length, buffer, ids, texts }
}

export function unpackEvents({ count, buffer, ids, texts }: Columns): NewEvent[] {
  const numbers = new Float64Array(buffer, 0, count * NUMBERS)
  const events: NewEvent[] = []
  let start = numbers.byteLength
  let idStart = 0
  for (let at = 0; at < numbers.length; at += NUMBERS) {
    const end = numbers[at + 2] as number
    const idEnd = numbers[at + 3] as number
    events.push({
      id: ids.slice(idStart, idEnd),
      domain: texts[numbers[at + 4] as number] as string,
      origin: texts[numbers[at + 5] as number] as NewEvent['origin'],
      receivedAt: numbers[at] as number,
      occurredAt: numbers[at + 1] as number,
      body: new Uint8Array(buffer, start, end - start),
    })
    start = end
    idStart = idEnd
  }
  return events
}

/** What the bodies of events say of their streams; undefined where nobody has read one. */
export function unpackSightings({ count, buffer, texts }: Columns): (Sighting | undefined)[] {
  const numbers = new Float64Array(buffer, 0, count * NUMBERS)
  const sightings: (Sighting | undefined)[] = []
  for (let at = 0; at < numbers.length; at += NUMBERS) {
    const stream = numbers[at + 7] as number
    const capturedAt = numbers[at + 8] as number
    sightings.push(
      stream === NOT_READ
        ? undefined
        : {
            app: texts[numbers[at + 6] as number] ?? null,
            stream: texts[stream] ?? null,
            capturedAt: Number.isNaN(capturedAt) ? null : capturedAt,
          },
    )
  }
  return sightings
}

function placeOf(text: string | null, texts: string[]): number {
  if (text === null) return NO_TEXT
  const looked = Math.min(texts.length, MAX_LOOKED_FOR)
  for (let place = 0; place < looked; place += 1) if (texts[place] === text) return place
  return placeOfNew(text, texts)
}

/** Next to every event of a group is of another stream. */
function placeOfNew(text: string | null, texts: string[]): number {
  return text === null ? NO_TEXT : texts.push(text) - 1
}
