// Delivers again what somebody has asked for, beside the loop of the sink: what is new does not wait,
// and the cursor stays where it is. How far it got is kept, so that a restart goes on from there.
import {
  MAX_PART_BYTES,
  newPart,
  type Part,
  type RefusedEvent,
} from '../../core/delivery/delivery.ts'
import { isSelected } from '../../core/events/replay.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import type { Replay } from '../../ports/store.ts'
import { deliverParts } from './deliver-batches.ts'
import type { Loop } from './loop.ts'

/** How soon a command is followed; asking costs next to nothing. */
const POLL_MS = 1_000
/** As of new events. */
const MAX_BATCH = 100
/** Events that are passed over cost a read; how far that got is kept every so many. */
const KEPT_EVERY = 10_000

/** Runs until stopped. */
export async function runReplays(loop: Loop): Promise<void> {
  const { sink, replays, clock } = loop
  while (!loop.draining.aborted) {
    // A store in trouble has none to give.
    const replay = await replays.nextReplay(sink.name).catch(() => null)
    if (replay === null) await clock.sleep(POLL_MS, loop.draining)
    else await play(loop, replay)
  }
}

/** From where it got to, until it ends, is called off, or all is stopped. */
async function play(loop: Loop, { id, lastSeq, ...replay }: Replay): Promise<void> {
  const { sink, events, replays, log, insist } = loop
  const which = { sink: sink.name, replay: id }
  /** What was looked at and delivered, or passed over. */
  let seq = replay.lookedUpTo
  let kept = seq
  let isAtEnd = false
  let isOpen = true
  let isFailing = false

  log.info('replay begins', which)
  await deliverParts(loop, {
    async next() {
      while (!isAtEnd && !loop.draining.aborted && (await goesOn())) {
        const { found, end } = await look(seq, MAX_BATCH)
        if (found !== undefined) return found
        seq = end
        if (seq >= lastSeq || seq - kept >= KEPT_EVERY) await keep(seq, 0, 0)
      }
      return undefined
    },
    async following(after) {
      for (let at = after; at < lastSeq && !loop.draining.aborted; ) {
        const { found, end } = await look(at, 1)
        if (found !== undefined) return found
        at = end
      }
      return undefined
    },
    async moveOn(last, delivered, refused) {
      seq = last.seq
      refused.forEach(tell)
      await keep(seq, delivered, refused.length)
    },
    report(state, reason) {
      if (state === 'ok' && isFailing) log.info('replay goes on', which)
      if (state !== 'ok' && !isFailing) log.warn('replay fails, retrying', { ...which, reason })
      isFailing = state !== 'ok'
    },
    goesOn,
    // What is in memory was not lost to this replay, even if the log has lost it since.
    goneUpTo: () => 0,
  })
  if (!isOpen) log.info('replay is called off', which)
  else if (isAtEnd) log.info('replay ends', which)

  /** Of the next events after `after` the selected ones, up to `limit`, and the last one looked at. */
  async function look(after: number, limit: number): Promise<{ found?: Part; end: number }> {
    const read = await insist(() => events.read(after, MAX_BATCH, MAX_PART_BYTES))
    // Stopped: nothing was looked at.
    if (read === undefined) return { end: after }
    const selected = read
      .filter((event) => event.seq <= lastSeq && isSelected(event, replay))
      .map((event): StoredEvent => ({ ...event, replay: id }))
    const end = Math.min(read.at(-1)?.seq ?? lastSeq, lastSeq)
    return selected.length === 0 ? { end } : { found: newPart(selected.slice(0, limit)), end }
  }

  async function goesOn(): Promise<boolean> {
    const open = await insist(() => replays.nextReplay(sink.name))
    // Stopped before the store could tell is not called off.
    if (open !== undefined) isOpen = open?.id === id
    return open?.id === id
  }

  async function keep(upTo: number, delivered: number, refused: number): Promise<void> {
    kept = upTo
    const isEnd = upTo >= lastSeq
    await insist(() => replays.advanceReplay({ id, seq: upTo, delivered, refused, isEnd }))
    isAtEnd = isEnd
  }

  /** It was delivered before, or is a dead letter: nothing is to be kept of it. */
  function tell({ event, reason }: RefusedEvent): void {
    log.warn('a replayed event is refused', { ...which, seq: event.seq, reason })
  }
}
