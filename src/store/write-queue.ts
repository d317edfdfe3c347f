// The bounded queue in front of a store's writer. One group is with the writer while the next one
// gathers, so that each commit takes along all that came during the last. A hot path: per event
// one small object and one promise, no timer and no message of its own.
import type { Understood } from '../core/events/callback.ts'
import type { NewEvent } from '../core/events/snapshot-event.ts'
import { type FaultCode, ServiceError } from '../errors.ts'
import type { Appended } from '../ports/store.ts'

/** A fault of one part of a group. */
export type PartFault = {
  readonly code: FaultCode
  readonly message: string
  /** What was thrown, where that is no fault of a store but a bug. */
  readonly bug?: Error
}

/** What is written in one commit; `Write` is what a store writes beside events. */
export type WriteGroup<Write> = {
  readonly events: readonly NewEvent[]
  /** What their bodies say, where somebody has read them. */
  readonly understood: readonly (Understood | undefined)[]
  readonly writes: readonly Write[]
}

/** In the order of the group. */
export type GroupAnswer = {
  readonly seqs: readonly (number | PartFault)[]
  readonly duplicates: readonly boolean[]
  readonly writes: readonly (number | null | PartFault)[]
}

export type QueueLimits = {
  /** Above this many events, refusing is kinder than an answer that comes too late. */
  readonly maxEvents: number
  /** Bounds memory where bodies are large: bodies waiting and being written. */
  readonly maxBytes: number
  /** The provider gives up after 5 s; a refusal must be there before. */
  readonly appendTimeoutMs: number
}

export const QUEUE_LIMITS: QueueLimits = {
  maxEvents: 4_096,
  maxBytes: 64 * 1024 * 1024,
  appendTimeoutMs: 3_000,
}

/** How late a slow append may learn of it, at most: the timer is not set again sooner. */
const TIMER_STEP_MS = 50

type Waiting<T> = { resolve(value: T): void; reject(fault: unknown): void }
type WaitingAppend = Waiting<Appended> & {
  readonly event: NewEvent
  readonly understood: Understood | undefined
  readonly deadline: number
}
type WaitingWrite<Write> = Waiting<number | null> & { readonly write: Write }
type Group<Write> = {
  readonly appends: WaitingAppend[]
  readonly writes: WaitingWrite<Write>[]
  bytes: number
}

/** Gathers writes and hands them, a group at a time, to `commit`. */
export function createWriteQueue<Write = never>(
  commit: (group: WriteGroup<Write>) => Promise<GroupAnswer>,
  limits: QueueLimits = QUEUE_LIMITS,
  /** Everything that arrives until this has resolved goes into the first group. */
  gather: () => Promise<unknown> = () => new Promise(setImmediate),
) {
  let gathering: Group<Write> = emptyGroup()
  let committing: Group<Write> = emptyGroup()
  let running: Promise<void> | undefined
  let closed = false
  let timer: NodeJS.Timeout | undefined

  return {
    /** See `EventLog.append`. */
    append(event: NewEvent, understood?: Understood): Promise<Appended> {
      const size = event.body.byteLength
      if (closed) return Promise.reject(closedFault())
      if (isFull(size)) return Promise.reject(overloadedFault())
      const { promise, resolve, reject } = Promise.withResolvers<Appended>()
      const deadline = performance.now() + limits.appendTimeoutMs
      gathering.appends.push({ event, understood, deadline, resolve, reject })
      gathering.bytes += size
      timer ??= setTimeout(expire, limits.appendTimeoutMs).unref()
      running ??= run()
      return promise
    },

    /** Never refused for load: there are only so many sinks and domains. */
    write(write: Write): Promise<number | null> {
      if (closed) return Promise.reject(closedFault())
      const { promise, resolve, reject } = Promise.withResolvers<number | null>()
      gathering.writes.push({ write, resolve, reject })
      running ??= run()
      return promise
    },

    /** Takes nothing more, and resolves once all that was taken has its answer. */
    async close(): Promise<void> {
      closed = true
      await running
      clearTimeout(timer)
    },
  }

  function isFull(size: number): boolean {
    // Those that were told "slow" count until the writer answers: they still hold memory.
    const events = gathering.appends.length + committing.appends.length
    const bytes = gathering.bytes + committing.bytes
    return events >= limits.maxEvents || bytes + size > limits.maxBytes
  }

  async function run(): Promise<void> {
    await gather()
    while (gathering.appends.length > 0 || gathering.writes.length > 0) {
      committing = gathering
      gathering = emptyGroup()
      await settle(committing)
    }
    running = undefined
  }

  async function settle({ appends, writes }: Group<Write>): Promise<void> {
    try {
      const committed = await commit({
        events: appends.map(({ event }) => event),
        understood: appends.map(({ understood }) => understood),
        writes: writes.map(({ write }) => write),
      }).finally(() => {
        // Before anybody is answered: whoever is may append again at once.
        committing = emptyGroup()
      })
      for (const [row, append] of appends.entries()) settleAppend(append, committed, row)
      for (const [row, write] of writes.entries()) settleWrite(write, committed, row)
    } catch (fault) {
      for (const { reject } of [...appends, ...writes]) reject(fault)
    }
  }

  /** Rejects the appends whose time is up; they are in order of their deadlines. */
  function expire(): void {
    timer = undefined
    const now = performance.now()
    const fault = slowFault()
    for (const { deadline, reject } of [...committing.appends, ...gathering.appends]) {
      if (deadline > now) {
        timer = setTimeout(expire, Math.max(deadline - now, TIMER_STEP_MS)).unref()
        return
      }
      reject(fault)
    }
  }
}

function emptyGroup<Write>(): Group<Write> {
  return { appends: [], writes: [], bytes: 0 }
}

function settleAppend(
  { resolve, reject }: WaitingAppend,
  committed: GroupAnswer,
  row: number,
): void {
  const seq = committed.seqs[row] as GroupAnswer['seqs'][number]
  if (typeof seq === 'number') resolve({ seq, duplicate: committed.duplicates[row] === true })
  else reject(toError(seq))
}

function settleWrite(
  { resolve, reject }: Waiting<number | null>,
  committed: GroupAnswer,
  row: number,
): void {
  const answer = committed.writes[row] as GroupAnswer['writes'][number]
  if (answer === null || typeof answer === 'number') resolve(answer)
  else reject(toError(answer))
}

function toError({ code, message, bug }: PartFault): Error {
  return bug ?? new ServiceError(message, { code })
}

function closedFault(): ServiceError {
  return new ServiceError('The store is closed.', { code: 'store_failed' })
}

function overloadedFault(): ServiceError {
  return new ServiceError('Too many events are waiting for the store.', {
    code: 'store_overloaded',
  })
}

function slowFault(): ServiceError {
  return new ServiceError('The store did not answer in time.', { code: 'store_slow' })
}
