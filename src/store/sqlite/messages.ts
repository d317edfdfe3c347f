// What goes to the writer in one message, and what comes back: events to append, events read.
// Events travel as columns, their bodies in one buffer that is handed over: structured clone is
// slow on many small objects, and would copy the whole pool that a small body may be a view of.
import type { RejectedEvent } from '../../core/delivery/outcome.ts'
import type { NewEvent, StoredEvent } from '../../core/events/snapshot-event.ts'
import type { AuditProgress } from '../../ports/audit.ts'
import type { DeadLetterChange } from '../../ports/store.ts'
import type { Fault } from './faults.ts'

export type Columns = {
  readonly ids: readonly string[]
  readonly domains: readonly string[]
  readonly origins: readonly NewEvent['origin'][]
  readonly receivedAt: readonly number[]
  readonly occurredAt: readonly number[]
  /** The bodies, one after the other, and where each one ends. */
  readonly bodies: Uint8Array<ArrayBuffer>
  readonly ends: readonly number[]
}

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
  return unpackEvents(events).map((event, row) => ({ ...event, seq: seqs[row] as number }))
}

export function packEvents(events: readonly NewEvent[]): Columns {
  const size = events.reduce((sum, { body }) => sum + body.byteLength, 0)
  const bodies = new Uint8Array(size)
  let end = 0
  const ends = events.map(({ body }) => {
    bodies.set(body, end)
    end += body.byteLength
    return end
  })
  return {
    ids: events.map(({ id }) => id),
    domains: events.map(({ domain }) => domain),
    origins: events.map(({ origin }) => origin),
    receivedAt: events.map(({ receivedAt }) => receivedAt),
    occurredAt: events.map(({ occurredAt }) => occurredAt),
    bodies,
    ends,
  }
}

export function unpackEvents(columns: Columns): NewEvent[] {
  let start = 0
  return columns.ids.map((id, row) => {
    const body = columns.bodies.subarray(start, columns.ends[row])
    start += body.byteLength
    return {
      id,
      domain: columns.domains[row] as string,
      origin: columns.origins[row] as NewEvent['origin'],
      receivedAt: columns.receivedAt[row] as number,
      occurredAt: columns.occurredAt[row] as number,
      body,
    }
  })
}
