// The loop of one sink: read after the cursor, deliver, advance. The cursor moves after delivery, so
// a crash repeats and never loses. While one batch is on its way the cursor of the one before is
// written, and the next one is read.
import { MAX_BATCH_BYTES } from '../../core/delivery/batch.ts'
import { MAX_BATCH_EVENTS } from '../../core/delivery/batch-size.ts'
import { givenUpBefore, MAX_GIVEN_UP } from '../../core/delivery/delivery.ts'
import type { SinkState } from '../../core/delivery/outcome.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import { unlessBug } from '../../errors.ts'
import { deliverBatches } from './deliver-batches.ts'
import type { SinkContext } from './sink-context.ts'

type Events = readonly StoredEvent[]

/** Runs until stopped, and keeps the progress of the sink up to date. */
export async function deliverNewEvents(context: SinkContext): Promise<void> {
  const { sink, progress, events, cursors, deadLetters, token, log, retryUntilStored } = context
  /** What follows a full read that is being delivered. */
  let ahead: { readonly after: number; readonly events: Promise<Events> } | undefined
  /** The write of the cursor that is under way, if one is; it never rejects. */
  let saved: Promise<unknown> = Promise.resolve()

  const cursor = await retryUntilStored(() => cursors.loadCursor(sink.name))
  // Stopped before it could be read: where to begin is not known.
  if (cursor === undefined) return
  progress.cursor = cursor
  const givenUp = await givenUpAt(cursor)

  await deliverBatches(context, {
    firstSize: progress.size,
    givenUp,
    async next() {
      for (;;) {
        const grown = context.grown()
        const found = await readNext()
        if (found.length > 0) readAhead(found)
        if (found.length > 0 || context.draining.aborted) return found
        await grown
      }
    },
    following: async (seq) => (await read(seq, 1))[0],
    async moveOn({ seq }, _delivered, rejected) {
      // Events that have expired meanwhile may be further on already.
      progress.cursor = Math.max(progress.cursor, seq)
      for (const { event, reason } of rejected) {
        log.warn('event rejected: a dead letter', { sink: sink.name, seq: event.seq, reason })
      }
      await saved
      saved = retryUntilStored(() => cursors.advanceCursor(sink.name, seq, rejected, token))
    },
    report: (state, problem) => report(context, state, problem),
    resized(size) {
      progress.size = size
    },
    isWanted: noteExpired,
    expiredUpTo: () => progress.expiredUpTo,
  })
  await saved

  /** The janitor may be another replica's: what it has let expire shows in the cursor alone. */
  async function noteExpired(): Promise<boolean> {
    // A store in trouble lets nothing expire.
    const kept = await cursors.loadCursor(sink.name).catch(unlessBug(0))
    if (kept > progress.cursor) {
      progress.cursor = kept
      progress.expiredUpTo = Math.max(progress.expiredUpTo, kept)
    }
    return true
  }

  async function givenUpAt(seq: number): Promise<number> {
    const query = { sink: sink.name, after: seq - MAX_GIVEN_UP, limit: MAX_GIVEN_UP }
    const letters = await retryUntilStored(() => deadLetters.readDeadLetters(query))
    return givenUpBefore(seq, letters?.map(({ event }) => event.seq) ?? [])
  }

  async function readNext(): Promise<Events> {
    // The read-ahead may have been empty: read again.
    const early = ahead?.after === progress.cursor ? await ahead.events : []
    return early.length > 0 ? early : read(progress.cursor, MAX_BATCH_EVENTS)
  }

  function readAhead(found: Events): void {
    const after = found.at(-1)?.seq
    if (after === undefined || found.length < MAX_BATCH_EVENTS || ahead?.after === after) return
    ahead = { after, events: read(after, MAX_BATCH_EVENTS) }
  }

  async function read(after: number, limit: number): Promise<Events> {
    return (await retryUntilStored(() => events.read(after, limit, MAX_BATCH_BYTES))) ?? []
  }
}

function report(
  { sink, progress, metrics, log }: SinkContext,
  state: SinkState,
  problem: string | null,
): void {
  const isNews = progress.state !== state || progress.problem !== problem
  if (isNews && state === 'ok') log.info('sink delivers again', { sink: sink.name })
  if (isNews && state !== 'ok') {
    const message = state === 'refused' ? 'sink refuses, retrying' : 'sink fails, retrying'
    log.warn(message, { sink: sink.name, reason: problem })
  }
  progress.state = state
  progress.problem = problem
  metrics.sinkState(sink.name, state)
}
