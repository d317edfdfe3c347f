// How a reader gets to where the others are: it reads the log from its place on, by itself and in turn
// with others who do, until it is abreast.
import type { Clock } from '../../ports/clock.ts'
import type { EventReading, Written } from '../../ports/reading.ts'
import { createTurns, type Pace } from '../pace.ts'
import { type Block, createBacklog } from './backlog.ts'
import { RETRY_FRAME } from './frames.ts'
import { NOWHERE, noteGap, type Reader } from './groups.ts'
import { GROWTH_PAUSE_MS, type Growth } from './growth.ts'

export function createCatchUp(deps: {
  events: Pick<EventReading, 'findFrames' | 'logRange'>
  growth: Growth
  clock: Clock
  pace: Pace
  onShown?(written: Written): void
  signal: AbortSignal
}) {
  const { events, growth, clock, onShown, signal } = deps
  const backlog = createBacklog(events)
  const inTurn = createTurns(deps.pace, clock, signal)

  /** Resolves when the reader is abreast, or gone; rejects if the store fails. */
  async function catchUp(reader: Reader): Promise<void> {
    const { group, outlet } = reader
    while (!outlet.closed.aborted && !signal.aborted) {
      if (!growth.isFollowed() || reader.at === NOWHERE || reader.at > growth.tail()) {
        const kept = await events.logRange()
        if (outlet.closed.aborted) return
        if (!growth.isFollowed()) growth.begin(kept.last)
        if (reader.at === NOWHERE) {
          reader.at = kept.last
          // Whoever sees this frame gets all that is kept from now on.
          outlet.write(RETRY_FRAME)
        }
        noteGap(reader, kept)
      }
      // No await from here to the end: the tail must not move in between.
      if (reader.at === growth.tail()) {
        growth.join(reader)
        return
      }
      if (reader.at > growth.tail()) {
        // It knows of events that the others are about to get.
        growth.grow()
        await clock.sleep(GROWTH_PAUSE_MS, signal)
        continue
      }
      await inTurn(async () => {
        const block = await backlog.read(group.filter, reader.at, growth.tail(), outlet.isPacked)
        if (!outlet.closed.aborted) hand(reader, block)
      })
      // As much as one read gave, and then no more before the network has taken it.
      if (outlet.waiting() > 0) await outlet.drained()
    }
  }

  function hand(reader: Reader, block: Block): void {
    noteGap(reader, block.kept)
    const [frames] = block.parts
    if (frames) {
      onShown?.(block.written)
      reader.outlet.send(frames)
      reader.lastId = frames.lastSeq
    }
    reader.at = Math.max(reader.at, block.next ?? block.upTo)
  }

  return {
    catchUp,
    /** Keeps nothing for others any more. */
    forget: backlog.forget,
  }
}
