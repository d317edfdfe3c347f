// Delivers again what somebody has asked for, beside the loop of the sink: what is new does not wait,
// and the cursor stays where it is. How far it got is kept, so that a restart goes on from there.
import { newPart, nextDelivery, type Part, restOf } from '../core/delivery.ts'
import { isSelected } from '../core/replay.ts'
import type { StoredEvent } from '../core/snapshot-event.ts'
import type { Replay } from '../ports.ts'
import type { Loop } from './dispatcher.ts'

/** How soon a command is followed; asking costs next to nothing. */
const POLL_MS = 1_000
/** As of new events. */
const MAX_BATCH = 100
/** Events that are passed over cost a read; how far that got is kept every so many. */
const KEPT_EVERY = 10_000

const CALLED_OFF = 'replay is called off'

type Tally = { delivered: number; refused: number }

/** Runs until stopped. */
export async function runReplays(loop: Loop): Promise<void> {
  const { sink, events, replays, clock, random, log, insist } = loop

  while (!loop.draining.aborted) {
    const replay = await firstOpen()
    if (replay === undefined) await clock.sleep(POLL_MS, loop.draining)
    else await play(replay)
  }

  /** A store in trouble has none to give. */
  async function firstOpen(): Promise<Replay | undefined> {
    return (await replays.nextReplay(sink.name).catch(() => null)) ?? undefined
  }

  /** From where it got to, until it ends, is cancelled, or all is stopped. */
  async function play({ id, lastSeq, ...replay }: Replay): Promise<void> {
    const which = { sink: sink.name, replay: id }
    log.info('replay begins', which)
    let kept = replay.nextSeq
    let seq = replay.nextSeq
    for (;;) {
      const read = (await insist(() => events.read(seq, MAX_BATCH))) ?? []
      const batch = read.filter((event) => event.seq <= lastSeq)
      const selected = batch.filter((event) => isSelected(event, replay))
      const done = await deliver(id, selected)
      if (loop.draining.aborted) return
      if (done === undefined) {
        log.info(CALLED_OFF, which)
        return
      }
      seq = batch.at(-1)?.seq ?? lastSeq
      const isEnd = seq >= lastSeq || (read.at(-1)?.seq ?? lastSeq) >= lastSeq
      if (selected.length > 0 || isEnd || seq - kept >= KEPT_EVERY) {
        await insist(() => replays.advanceReplay({ id, seq, ...done, isEnd }))
        kept = seq
        if ((await firstOpen())?.id !== id) {
          log.info(isEnd ? 'replay ends' : CALLED_OFF, which)
          return
        }
      }
    }
  }

  /** Delivers all of `selected`; undefined when it was stopped or cancelled first. */
  async function deliver(id: number, selected: readonly StoredEvent[]): Promise<Tally | undefined> {
    const done = { delivered: 0, refused: 0 }
    const marked = selected.map((event) => ({ ...event, replay: id }))
    const parts: Part[] = marked.length === 0 ? [] : [newPart(marked)]
    for (let part = parts[0]; part !== undefined; part = parts[0]) {
      const outcome = await loop.attempt(part.events)
      const through = restOf(outcome, part)
      if (through !== undefined) {
        done.delivered += part.events.length - through.rest.events.length
        part = through.rest
        parts[0] = part
      }
      const next = nextDelivery(outcome, part, random())
      switch (next.kind) {
        case 'advance':
          done.delivered += part.events.length
          parts.shift()
          break
        case 'split':
          parts.splice(0, 1, ...next.parts)
          break
        case 'bury':
          giveUp(next.refused.reason)
          break
        case 'retry':
          if (next.compare) {
            giveUp(next.reason)
            break
          }
          parts[0] = next.part
          await clock.sleep(next.afterMs, loop.draining)
          if (loop.draining.aborted || (await firstOpen())?.id !== id) return undefined
      }
    }
    return done

    /** It was delivered before, or is a dead letter: nothing is to be kept of it. */
    function giveUp(reason: string): void {
      const seq = parts.shift()?.events[0]?.seq
      done.refused += 1
      log.warn('a replayed event is refused', { sink: sink.name, replay: id, seq, reason })
    }
  }
}
