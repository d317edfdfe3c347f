// The loop of one sink: read after the cursor, deliver, advance. The cursor moves after delivery, so
// a crash repeats and never loses. While one batch is on its way the cursor of the one before is
// written, and the next one is read.
import { MAX_PART_BYTES, newPart, type Part } from '../../core/delivery/delivery.ts'
import { deliverParts } from './deliver-batches.ts'
import type { Loop, SinkProgress } from './loop.ts'

/** A batch is held in memory, as is the next; two are delivered again after a crash. */
const MAX_BATCH = 100

/** Runs until stopped, and keeps `mine` up to date. */
export async function runSink(loop: Loop, mine: SinkProgress): Promise<void> {
  const { sink, events, cursors, metrics, log, insist } = loop
  /** What follows a full batch that is on its way. */
  let ahead: { readonly after: number; readonly part: Promise<Part | undefined> } | undefined
  /** The write of the cursor that is under way, if one is; it never rejects. */
  let saved: Promise<unknown> = Promise.resolve()

  const cursor = await insist(() => cursors.loadCursor(sink.name))
  // Stopped before it could be read: where to begin is not known.
  if (cursor === undefined) return
  mine.cursor = cursor

  await deliverParts(loop, {
    async next() {
      for (;;) {
        const grown = loop.grown()
        const part = await nextBatch()
        if (part !== undefined) readAhead(part)
        if (part !== undefined || loop.draining.aborted) return part
        await grown
      }
    },
    following: (seq) => readPart(seq, 1),
    async moveOn({ seq }, _delivered, refused) {
      // Events that have expired meanwhile may be further on already.
      mine.cursor = Math.max(mine.cursor, seq)
      for (const { event, reason } of refused) {
        const which = { sink: sink.name, seq: event.seq }
        log.warn('event refused for good: a dead letter', { ...which, reason })
      }
      await saved
      saved = insist(() => cursors.advanceCursor(sink.name, seq, refused))
    },
    report(state, problem) {
      const news = mine.state !== state || mine.problem !== problem
      if (news && state === 'ok') log.info('sink delivers again', { sink: sink.name })
      if (news && state !== 'ok') {
        const message = state === 'refused' ? 'sink refuses, retrying' : 'sink fails, retrying'
        log.warn(message, { sink: sink.name, reason: problem })
      }
      mine.state = state
      mine.problem = problem
      metrics.sinkState(sink.name, state)
    },
    goesOn: async () => true,
    goneUpTo: () => mine.goneUpTo,
  })
  await saved

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
    const batch = (await insist(() => events.read(after, limit, MAX_PART_BYTES))) ?? []
    return batch.length === 0 ? undefined : newPart(batch)
  }
}
