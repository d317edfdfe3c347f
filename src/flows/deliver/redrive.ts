// Tries dead letters again where somebody asked for it, beside the loop of the sink: out of order,
// as whoever asks knows, and without moving the cursor.
import { newPart, nextRetry, type Part } from '../../core/delivery/delivery.ts'
import type { Loop } from './loop.ts'

/** How soon a command is followed; asking costs next to nothing. */
const POLL_MS = 1_000

/** Runs until stopped. */
export async function retryDeadLetters(loop: Loop): Promise<void> {
  const { sink, deadLetters, clock, random, log, insist } = loop
  let part: Part | undefined
  while (!loop.draining.aborted) {
    const letter = await firstRequested()
    if (letter === undefined) {
      part = undefined
      await clock.sleep(POLL_MS, loop.draining)
      continue
    }
    const { event } = letter
    if (part?.events[0]?.seq !== event.seq) part = newPart([event])
    const outcome = await loop.attempt(part.events)
    if (loop.ended.aborted && outcome.kind !== 'delivered') return
    const next = nextRetry(outcome, part, random())
    const which = { sink: sink.name, seq: event.seq }
    switch (next.kind) {
      case 'remove': {
        const drop = { kind: 'drop', sink: sink.name, seqs: [event.seq] } as const
        await insist(() => deadLetters.changeDeadLetters(drop))
        log.info('dead letter delivered', which)
        break
      }
      case 'keep': {
        const { reason } = next
        const attempts = part.failures + 1
        const failed = { kind: 'failed_again', ...which, reason, attempts } as const
        await insist(() => deadLetters.changeDeadLetters(failed))
        log.warn('dead letter refused again', { ...which, reason })
        break
      }
      case 'again':
        part = next.part
        await clock.sleep(next.afterMs, loop.draining)
    }
  }

  /** Read anew for each attempt: it may have been dropped. A store in trouble has none to give. */
  async function firstRequested() {
    const query = { sink: sink.name, retryRequested: true, limit: 1 }
    const [letter] = await deadLetters.readDeadLetters(query).catch(() => [])
    return letter
  }
}
