// Tries dead letters again where somebody asked for it, beside the loop of the sink: out of order,
// as whoever asks knows, and without moving the cursor.

import { type Batch, firstOf, newBatch } from '../../core/delivery/batch.ts'
import { nextRetry } from '../../core/delivery/delivery.ts'
import { unlessBug } from '../../errors.ts'
import type { DeadLetterChange } from '../../ports/dead-letters.ts'
import type { SinkContext } from './sink-context.ts'

/** How soon a command is followed; asking costs next to nothing. */
const POLL_MS = 1_000

/** Runs until stopped. */
export async function retryDeadLetters(context: SinkContext): Promise<void> {
  const { sink, deadLetters, token, clock, random, log, draining, ended } = context
  const change = (made: DeadLetterChange) =>
    context.retryUntilStored(() => deadLetters.changeDeadLetters(made, token))
  let batch: Batch | undefined
  while (!draining.aborted) {
    const letter = await firstRequested()
    if (letter === undefined) {
      batch = undefined
      await clock.sleep(POLL_MS, draining)
      continue
    }
    const { event } = letter
    if (batch === undefined || firstOf(batch).seq !== event.seq) batch = newBatch([event])
    const outcome = await context.attempt(batch.events)
    if (ended.aborted && outcome.kind !== 'delivered') return
    const next = nextRetry(outcome, batch, random())
    const which = { sink: sink.name, seq: event.seq }
    switch (next.kind) {
      case 'remove': {
        const removed = await change({ kind: 'drop', sink: sink.name, seqs: [event.seq] })
        // Else its next owner delivers it once more, and says so.
        if (removed !== undefined) log.info('dead letter delivered', which)
        break
      }
      case 'keep': {
        const { reason } = next
        const attempts = batch.failures + 1
        const kept = await change({ kind: 'failed_again', ...which, reason, attempts })
        if (kept !== undefined) log.warn('dead letter rejected again', { ...which, reason })
        break
      }
      case 'again':
        batch = next.batch
        await clock.sleep(next.afterMs, draining)
    }
  }

  /** Read anew for each attempt: it may have been dropped. A store in trouble has none to give. */
  async function firstRequested() {
    const query = { sink: sink.name, retryRequested: true, limit: 1 }
    const [letter] = await deadLetters.readDeadLetters(query).catch(unlessBug([]))
    return letter
  }
}
