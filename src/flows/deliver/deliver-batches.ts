// Delivers part after part, in order, until there is none. What an outcome means is decided in core;
// here it is carried out. Where the events come from, and what is noted of them, is the source's.

import {
  nextDelivery,
  type Part,
  type RefusedEvent,
  restOf,
  type SinkState,
} from '../../core/delivery/delivery.ts'
import { nextComparison, nextConfirmation } from '../../core/delivery/suspects.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import type { Loop } from './loop.ts'

export interface Source {
  /** What comes after that which is done with; undefined where nothing is to come. */
  next(): Promise<Part | undefined>
  /** The event after `seq`, alone. */
  following(seq: number): Promise<Part | undefined>
  /** Goes on after `last`: so many events up to it were delivered, and these given up. */
  moveOn(last: StoredEvent, delivered: number, refused: readonly RefusedEvent[]): Promise<void>
  report(state: SinkState, problem: string | null): void
  /** Whether it is still wanted; asked after a pause. */
  goesOn(): Promise<boolean>
  /** Events up to this seq have expired and are counted as lost: they are not to be delivered late. */
  goneUpTo(): number
}

export async function deliverParts(loop: Loop, source: Source): Promise<void> {
  const { clock, random } = loop
  /** What was read and is not delivered yet, in order: a batch, or what it was split into. */
  let parts: Part[] = []
  /** Events after the first part that were tried out of turn, to see whether the sink works. */
  let compared: Part[] = []
  /** Events given up since the last one that was delivered. */
  let givenUp = 0

  while (!loop.ended.aborted) {
    let part = parts[0] ?? (await source.next())
    if (part === undefined) return
    const outcome = await loop.attempt(part.events)
    const through = restOf(outcome, part)
    if (through !== undefined) {
      const delivered = part.events.length - through.rest.events.length
      part = through.rest
      parts[0] = part
      await moveOn(through.last, delivered, [])
    }
    if (loop.ended.aborted && outcome.kind !== 'delivered') return
    const next = nextDelivery(outcome, part, random(), givenUp)
    switch (next.kind) {
      case 'advance':
        source.report('ok', null)
        await moveOn(part.events.at(-1) as StoredEvent, part.events.length, [])
        break
      case 'bury':
        source.report('ok', null)
        await moveOn(next.refused.event, 0, [next.refused])
        break
      case 'split':
        parts.splice(0, 1, ...next.parts)
        break
      case 'retry': {
        parts[0] = next.part
        source.report(next.state, next.reason)
        const settled = next.compare ? await compare(next.part) : { afterMs: 0 }
        if (settled === true) break
        await clock.sleep(Math.max(next.afterMs, settled.afterMs), loop.draining)
        if (loop.draining.aborted || !(await source.goesOn())) return
        dropGone(source.goneUpTo())
      }
    }
  }

  function dropGone(seq: number): void {
    if (parts.every(({ events }) => eventOf({ events }).seq > seq)) return
    parts = parts
      .map((part) => ({ ...part, events: part.events.filter((event) => event.seq > seq) }))
      .filter(({ events }) => events.length > 0)
    compared = []
  }

  async function moveOn(
    last: StoredEvent,
    delivered: number,
    refused: readonly RefusedEvent[],
  ): Promise<void> {
    compared = []
    givenUp = delivered > 0 ? 0 : givenUp + refused.length
    parts = parts.filter(({ events }) => (events[0] as StoredEvent).seq > last.seq)
    await source.moveOn(last, delivered, refused)
  }

  /** Tries the event after those that are suspect; true where that settled it. */
  async function compare(first: Part): Promise<true | { readonly afterMs: number }> {
    const suspects = [first, ...compared.filter(({ suspect }) => suspect)]
    const known = compared[suspects.length - 1]
    const part = known ?? (await source.following(eventOf(suspects.at(-1) as Part).seq))
    if (part === undefined || loop.draining.aborted) return { afterMs: 0 }
    const outcome = await loop.attempt(part.events)
    const step = nextComparison(outcome, part, random())
    if (step.kind === 'undecided') {
      compared = [...suspects.slice(1), step.compared]
      return step
    }
    // Read anew from there: what is left of the batch may begin in the middle of a part.
    parts = []
    let isLate = false
    for (const suspect of suspects) {
      const verdict = await confirm(suspect)
      if (verdict.kind === 'undecided') return verdict
      const isDelivered = verdict.kind === 'advance'
      isLate ||= isDelivered
      const refused = isDelivered ? [] : [verdict.refused]
      await moveOn(eventOf(suspect), isDelivered ? 1 : 0, refused)
    }
    source.report('ok', null)
    // One that came after its neighbour came too late: the neighbour comes again, in its turn.
    if (!isLate) await moveOn(eventOf(part), 1, [])
    return true
  }

  /** Tries a suspect while the sink works. */
  async function confirm(suspect: Part) {
    for (let nth = 1, part = suspect; ; nth++) {
      const verdict = nextConfirmation(await loop.attempt(part.events), part, nth, random())
      if (verdict.kind !== 'again') return verdict
      part = verdict.suspect
    }
  }
}

/** The first event of a part, or its only one. */
function eventOf({ events }: Pick<Part, 'events'>): StoredEvent {
  return events[0] as StoredEvent
}
