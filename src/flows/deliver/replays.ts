// Delivers again what somebody has asked for, beside the loop of the sink: what is new does not wait,
// and the cursor stays where it is. How far it got is kept, so that a restart goes on from there.
import { MAX_BATCH_BYTES } from '../../core/delivery/batch.ts'
import { MAX_BATCH_EVENTS } from '../../core/delivery/batch-size.ts'
import { isSelected } from '../../core/events/replay.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import { unlessBug } from '../../errors.ts'
import type { Replay } from '../../ports/replays.ts'
import { deliverBatches } from './deliver-batches.ts'
import type { SinkContext } from './sink-context.ts'

/** How soon a command is followed; asking costs next to nothing. */
const POLL_MS = 1_000
/** Events that a replay may pass over before it keeps how far it is: after a crash they are read again. */
const KEPT_EVERY = 10_000

/** Runs until stopped. */
export async function runReplays(context: SinkContext): Promise<void> {
  const { sink, replays, clock, draining } = context
  while (!draining.aborted) {
    // A store in trouble has none to give.
    const replay = await replays.nextReplay(sink.name).catch(unlessBug(null))
    if (replay === null) await clock.sleep(POLL_MS, draining)
    else await play(context, replay)
  }
}

/** From where it got to, until it ends, is called off, or all is stopped. */
async function play(context: SinkContext, { id, lastSeq, ...replay }: Replay): Promise<void> {
  const { sink, progress, events, replays, token, log, draining, retryUntilStored } = context
  const which = { sink: sink.name, replay: id }
  /** Events up to here were delivered or passed over. */
  let seq = replay.lookedUpTo
  let kept = seq
  let isAtEnd = false
  let isOpen = true
  let isFailing = false

  log.info('replay begins', which)
  await deliverBatches(context, {
    // What the receiver takes at once is known already, if anything was delivered to it.
    firstSize: progress.size,
    givenUp: 0,
    async next() {
      while (!isAtEnd && !draining.aborted && (await isWanted())) {
        const { found, end } = await scan(seq)
        if (found.length > 0) return found
        seq = end
        if (seq >= lastSeq || seq - kept >= KEPT_EVERY) await keep(seq, 0, 0)
      }
      return undefined
    },
    async following(after) {
      for (let at = after; at < lastSeq && !draining.aborted; ) {
        const { found, end } = await scan(at)
        if (found.length > 0) return found[0]
        at = end
      }
      return undefined
    },
    async moveOn(last, delivered, rejected) {
      seq = last.seq
      for (const { event, reason } of rejected) {
        // It was delivered before, or is a dead letter: there is nothing to keep of it.
        log.warn('a replayed event is rejected', { ...which, seq: event.seq, reason })
      }
      await keep(seq, delivered, rejected.length)
    },
    report(state, reason) {
      if (state === 'ok' && isFailing) log.info('replay goes on', which)
      if (state !== 'ok' && !isFailing) log.warn('replay fails, retrying', { ...which, reason })
      isFailing = state !== 'ok'
    },
    resized: () => undefined,
    isWanted,
    // What is in memory was not lost to this replay, even if the log has lost it since.
    expiredUpTo: () => 0,
  })
  if (!isOpen) log.info('replay is called off', which)
  else if (isAtEnd) log.info('replay ends', which)

  /** Of the next events after `after` the selected ones, and the last one that was looked at. */
  async function scan(after: number): Promise<{ found: readonly StoredEvent[]; end: number }> {
    const read = await retryUntilStored(() => events.read(after, MAX_BATCH_EVENTS, MAX_BATCH_BYTES))
    // Stopped: nothing was looked at.
    if (read === undefined) return { found: [], end: after }
    const found = read
      .filter((event) => event.seq <= lastSeq && isSelected(event, replay))
      .map((event): StoredEvent => ({ ...event, replay: id }))
    return { found, end: Math.min(read.at(-1)?.seq ?? lastSeq, lastSeq) }
  }

  async function isWanted(): Promise<boolean> {
    const open = await retryUntilStored(() => replays.nextReplay(sink.name))
    // Stopped before the store could tell is not called off.
    if (open !== undefined) isOpen = open?.id === id
    return open?.id === id
  }

  async function keep(upTo: number, delivered: number, rejected: number): Promise<void> {
    kept = upTo
    const isEnd = upTo >= lastSeq
    await retryUntilStored(() =>
      replays.advanceReplay({ id, seq: upTo, delivered, rejected, isEnd }, token),
    )
    isAtEnd = isEnd
  }
}
