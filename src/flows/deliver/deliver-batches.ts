// Delivers batch after batch, in order, until there is none. What an outcome means is decided in core;
// here it is carried out. Where the events come from, and what is kept of them, is the source's.
import { type Batch, firstOf, newBatch, restOf } from '../../core/delivery/batch.ts'
import { type BatchSize, nextSize } from '../../core/delivery/batch-size.ts'
import { nextDelivery } from '../../core/delivery/delivery.ts'
import type { DeliveryOutcome, RejectedEvent, SinkState } from '../../core/delivery/outcome.ts'
import { type Control, nextComparison, nextConfirmation } from '../../core/delivery/suspects.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import type { SinkContext } from './sink-context.ts'

export interface Source {
  /** Where to begin with the size of batches. */
  readonly firstSize: BatchSize
  /** Events given up before that, with none delivered since. */
  readonly givenUp: number
  /** Events after the last one that is done with, in order; undefined if none are to come. */
  next(): Promise<readonly StoredEvent[] | undefined>
  /** The event after `seq`. */
  following(seq: number): Promise<StoredEvent | undefined>
  /** Goes on after `last`: `delivered` events up to it were delivered, and these given up. */
  moveOn(last: StoredEvent, delivered: number, rejected: readonly RejectedEvent[]): Promise<void>
  report(state: SinkState, problem: string | null): void
  resized(size: BatchSize): void
  /** Whether delivery is still wanted; asked after a pause. */
  isWanted(): Promise<boolean>
  /** Events up to this seq have expired and are counted as lost: they must not be delivered late. */
  expiredUpTo(): number
}

type Context = Pick<SinkContext, 'attempt' | 'clock' | 'random' | 'draining' | 'ended'>

/** Returns when the source has no more, or is not wanted any more, or all is stopped. */
export async function deliverBatches(context: Context, source: Source): Promise<void> {
  const { attempt, clock, random, draining, ended } = context
  /** What was read and is not delivered yet, in order. */
  let queue: readonly StoredEvent[] = []
  /** The batch at the head of the queue that is to be sent again as it is. */
  let again: Batch | undefined
  /** Events after that one which were tried out of turn, to see whether the sink works. */
  let controls: readonly Control[] = []
  /** Events given up since the last one that was delivered. */
  let { givenUp, firstSize: size } = source

  while (!ended.aborted) {
    if (queue.length === 0) queue = (await source.next()) ?? []
    if (queue.length === 0) return
    const sent = again ?? newBatch(queue.slice(0, size.limit))
    const outcome = await attempt(sent.events)
    const batch = await keepConfirmed(outcome, sent)
    if (ended.aborted && outcome.kind !== 'delivered') return
    resize(nextSize(size, outcome, sent.events.length))
    const next = nextDelivery(outcome, batch, random(), givenUp)
    switch (next.kind) {
      case 'advance':
        source.report('ok', null)
        await moveOn(batch.events.at(-1) as StoredEvent, batch.events.length, [])
        break
      case 'bury':
        source.report('ok', null)
        await moveOn(next.rejected.event, 0, [next.rejected])
        break
      case 'send_less':
        again = undefined
        if (next.trouble === undefined) break
        source.report(next.trouble.state, next.trouble.reason)
        if (!(await pause(next.trouble.afterMs))) return
        break
      case 'retry': {
        again = next.batch
        source.report(next.trouble.state, next.trouble.reason)
        const compared = next.compare ? await compare(next.batch) : { afterMs: 0 }
        if (compared === 'settled') break
        if (!(await pause(Math.max(next.trouble.afterMs, compared.afterMs)))) return
      }
    }
  }

  /** Moves on over what an attempt that failed in its middle delivered. Returns what is left. */
  async function keepConfirmed(outcome: DeliveryOutcome, batch: Batch): Promise<Batch> {
    const through = restOf(outcome, batch)
    if (through === undefined) return batch
    await moveOn(through.last, batch.events.length - through.rest.events.length, [])
    return through.rest
  }

  function resize(next: BatchSize): void {
    if (next === size) return
    size = next
    source.resized(size)
  }

  /** Whether to go on after it. */
  async function pause(ms: number): Promise<boolean> {
    await clock.sleep(ms, draining)
    if (draining.aborted || !(await source.isWanted())) return false
    const expired = source.expiredUpTo()
    if ((queue[0]?.seq ?? Number.POSITIVE_INFINITY) <= expired) {
      leave(queue.filter(({ seq }) => seq > expired))
    }
    return true
  }

  function leave(rest: readonly StoredEvent[]): void {
    queue = rest
    again = undefined
    controls = []
  }

  async function moveOn(
    last: StoredEvent,
    delivered: number,
    rejected: readonly RejectedEvent[],
  ): Promise<void> {
    leave(queue.filter(({ seq }) => seq > last.seq))
    givenUp = delivered > 0 ? 0 : givenUp + rejected.length
    await source.moveOn(last, delivered, rejected)
  }

  /** Tries the event after those that are suspect. */
  async function compare(first: Batch): Promise<'settled' | { readonly afterMs: number }> {
    const suspects: Batch[] = [first, ...controls.filter(({ isSuspect }) => isSuspect)]
    const control = controls[suspects.length - 1] ?? (await controlAfter(suspects.at(-1) as Batch))
    if (control === undefined || draining.aborted) return { afterMs: 0 }
    let step = nextComparison(await attempt(control.events), control, random())
    if (step.kind === 'undecided' && step.isWorthAnother) {
      step = nextComparison(await attempt(control.events), step.control, random())
    }
    if (step.kind === 'undecided') {
      controls = [...controls.slice(0, suspects.length - 1), step.control]
      return step
    }
    let isLate = false
    for (const suspect of suspects) {
      const verdict = await confirm(suspect)
      if (verdict.kind === 'undecided') return verdict
      const isDelivered = verdict.kind === 'advance'
      isLate ||= isDelivered
      await moveOn(firstOf(suspect), isDelivered ? 1 : 0, isDelivered ? [] : [verdict.rejected])
    }
    source.report('ok', null)
    // A suspect was delivered after the control: the control is delivered again, to keep the order.
    if (!isLate) await moveOn(firstOf(control), 1, [])
    return 'settled'
  }

  async function controlAfter(suspect: Batch): Promise<Batch | undefined> {
    const event = await source.following(firstOf(suspect).seq)
    return event && newBatch([event])
  }

  /** Tries a suspect while the sink works. */
  async function confirm(suspect: Batch) {
    for (let nth = 1, batch = suspect; ; nth++) {
      const verdict = nextConfirmation(await attempt(batch.events), batch, nth, random())
      if (verdict.kind !== 'again') return verdict
      batch = verdict.suspect
    }
  }
}
