// The loop of one sink: read after the cursor, deliver, advance. What an outcome means is decided in
// core; here it is carried out. The cursor moves after delivery, so a crash repeats and never loses.
// While one batch is on its way the cursor of the one before is written, and the next one is read.
import {
  MAX_STRIKES,
  newPart,
  nextComparison,
  nextDelivery,
  type Part,
  type RefusedEvent,
  restOf,
  type SinkState,
} from '../core/delivery.ts'
import type { StoredEvent } from '../core/snapshot-event.ts'
import type { Loop, SinkProgress } from './dispatcher.ts'

/** A batch is held in memory, as is the next; two are delivered again after a crash. */
const MAX_BATCH = 100
/**
 * Of bodies: with what is written around and in them, a batch stays near the 1 MiB that proxies take
 * by default, and is sent in time over a slow line. One event alone is always let through.
 */
const MAX_BATCH_BYTES = 256 * 1024

/** Runs until stopped, and keeps `mine` up to date. */
export async function runSink(loop: Loop, mine: SinkProgress): Promise<void> {
  const { sink, events, cursors, clock, random, metrics, log, insist } = loop
  /** What was read and is not delivered yet, in order: a batch, or what it was split into. */
  let parts: Part[] = []
  /** Events after the first part that were tried out of turn, to see whether the sink works. */
  let compared: Part[] = []
  /** What follows a full batch that is on its way. */
  let ahead: { readonly after: number; readonly part: Promise<Part | undefined> } | undefined
  /** The write of the cursor that is under way, if one is; it never rejects. */
  let saved: Promise<unknown> = Promise.resolve()

  mine.cursor = (await insist(() => cursors.loadCursor(sink.name))) ?? 0
  await deliverAll()
  await saved

  async function deliverAll(): Promise<void> {
    while (!loop.ended.aborted) {
      const grown = loop.grown()
      let part = parts[0] ?? (await nextBatch())
      if (part === undefined) {
        if (loop.draining.aborted) return
        await grown
        continue
      }
      readAhead(part)
      const outcome = await loop.attempt(part.events)
      const through = restOf(outcome, part)
      if (through !== undefined) {
        part = through.rest
        parts[0] = part
        await moveOn(through.last, [])
      }
      if (loop.ended.aborted && outcome.kind !== 'delivered') return
      const next = nextDelivery(outcome, part, random())
      switch (next.kind) {
        case 'advance':
          await pass(part.events.at(-1) as StoredEvent, [])
          break
        case 'bury':
          await pass(next.refused.event, [next.refused])
          break
        case 'split':
          parts.splice(0, 1, ...next.parts)
          break
        case 'retry':
          parts[0] = next.part
          report(next.state, next.reason)
          if (next.compare && (await compare(next.part))) break
          await clock.sleep(next.afterMs, loop.draining)
          if (loop.draining.aborted) return
      }
    }
  }

  async function nextBatch(): Promise<Part | undefined> {
    // What was not there when it was read may be there now.
    const read = ahead?.after === mine.cursor ? await ahead.part : undefined
    return read ?? readPart(mine.cursor, MAX_BATCH)
  }

  function readAhead({ events }: Part): void {
    const after = events.at(-1)?.seq
    if (after === undefined || events.length < MAX_BATCH || ahead?.after === after) return
    ahead = { after, part: readPart(after, MAX_BATCH) }
  }

  async function readPart(after: number, limit: number): Promise<Part | undefined> {
    const batch = (await insist(() => events.read(after, limit))) ?? []
    let bytes = 0
    const fitting = batch.filter(({ body }, index) => {
      bytes += body.byteLength
      return index === 0 || bytes <= MAX_BATCH_BYTES
    })
    return batch.length === 0 ? undefined : newPart(fitting)
  }

  /** The sink works: goes on after `last`. */
  async function pass(last: StoredEvent, refused: readonly RefusedEvent[]): Promise<void> {
    report('ok', null)
    await moveOn(last, refused)
  }

  /** Goes on after `last`, in the store and in memory. */
  async function moveOn(last: StoredEvent, refused: readonly RefusedEvent[]): Promise<void> {
    compared = []
    parts = parts.filter(({ events }) => (events[0] as StoredEvent).seq > last.seq)
    // Events that have expired meanwhile may be further on already.
    mine.cursor = Math.max(mine.cursor, last.seq)
    for (const { event, reason } of refused) {
      log.warn('event refused for good: a dead letter', { sink: sink.name, seq: event.seq, reason })
    }
    await saved
    saved = insist(() => cursors.advanceCursor(sink.name, last.seq, refused))
  }

  /** Tries the event after those that broke the sink too often; true where that settled it. */
  async function compare(first: Part): Promise<boolean> {
    const suspects = [first, ...compared.filter(({ strikes }) => strikes >= MAX_STRIKES)]
    const known = compared[suspects.length - 1]
    const part = known ?? (await readPart(suspects.at(-1)?.events[0]?.seq ?? mine.cursor, 1))
    if (part === undefined || loop.draining.aborted) return false
    const step = nextComparison(await loop.attempt(part.events), suspects, part)
    if (step.kind === 'undecided') {
      compared = [...suspects.slice(1), step.compared]
      return false
    }
    // Read anew from there: what is left of the batch may begin in the middle of a part.
    parts = []
    await pass(part.events[0] as StoredEvent, step.refused)
    return true
  }

  function report(state: SinkState, problem: string | null): void {
    const news = mine.state !== state || mine.problem !== problem
    if (news && state === 'ok') log.info('sink delivers again', { sink: sink.name })
    if (news && state !== 'ok') {
      const message = state === 'refused' ? 'sink refuses, retrying' : 'sink fails, retrying'
      log.warn(message, { sink: sink.name, reason: problem })
    }
    mine.state = state
    mine.problem = problem
    metrics.sinkState(sink.name, state)
  }
}
