// The connection to the service. It fetches the list of streams, then follows the events after it,
// and watches both: events that stay away while the log grows, or an API that does not answer, are
// a lost connection, and that is said before anything else is tried.
/** @import { CloudEvent, Connection, StreamRecord } from '../types.d.ts' */

/** Between two looks at the newest event; a lost connection shows after this and the time-out. */
const WATCH_MS = 4_000
const WATCH_TIMEOUT_MS = 4_000
const LIST_TIMEOUT_MS = 15_000
const OPEN_TIMEOUT_MS = 8_000
/** Between two tries to connect again. */
const RETRY_MS = 2_000
/** The list is fetched anew this often: intervals as the service sees them, and streams that went. */
const LIST_AGAIN_MS = 30_000

/** The service wants a session, or refuses to speak to this page at all. */
export class Refused extends Error {
  constructor(kind, detail) {
    super(detail)
    this.kind = kind
  }
}

/**
 * @typedef {{ onEvent(event: CloudEvent): void, onOpen(): void, onGap(): void, onFault(): void }} Listener
 * @param {{
 *   streams(signal: AbortSignal): Promise<StreamRecord[]>,
 *   newest(signal: AbortSignal): Promise<number>,
 *   open(after: number, listener: Listener): { close(): void },
 *   onStreams(list: StreamRecord[]): void,
 *   onEvent(event: CloudEvent): void,
 *   onConnection(connection: Connection): void,
 *   onNewest(seq: number): void,
 *   now(): number,
 *   sleep(ms: number, signal: AbortSignal): Promise<void>,
 * }} deps `sleep` resolves early when its signal aborts
 */
export function createLive(deps) {
  const { onConnection, now, sleep } = deps
  let stopping = new AbortController()
  let lostSince = 0

  async function run() {
    const { signal } = stopping
    onConnection({ kind: 'connecting' })
    while (!signal.aborted) {
      try {
        await follow(signal)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Refused) {
          lostSince = 0
          if (error.kind === 'signed_out') return onConnection({ kind: 'signed_out' })
          onConnection({ kind: 'forbidden', detail: error.message })
        } else {
          if (lostSince === 0) lostSince = now()
          onConnection({ kind: 'lost', since: lostSince })
        }
      }
      await sleep(RETRY_MS, signal)
    }
  }

  /** One connection, from the list to the fault that ends it; it never resolves. */
  async function follow(signal) {
    const list = await withTimeout(deps.streams, LIST_TIMEOUT_MS, signal)
    deps.onStreams(list)
    let lastSeq = Math.max(0, ...list.map(({ latest }) => latest.seq))
    const ended = new AbortController()
    const stop = AbortSignal.any([signal, ended.signal])
    const fault = Promise.withResolvers()
    const opened = Promise.withResolvers()
    const stream = deps.open(lastSeq, {
      onOpen: () => opened.resolve(undefined),
      onEvent(event) {
        lastSeq = Math.max(lastSeq, event.data.seq)
        deps.onEvent(event)
      },
      onGap: () => fault.reject(new Error('events are gone')),
      onFault: () => fault.reject(new Error('the event stream ended')),
    })
    try {
      const tooLate = sleep(OPEN_TIMEOUT_MS, stop).then(() => {
        throw new Error('the event stream did not open')
      })
      await Promise.race([opened.promise, fault.promise, tooLate])
      lostSince = 0
      onConnection({ kind: 'live' })
      await Promise.race([fault.promise, watch(stop, () => lastSeq), listAgain(stop)])
    } finally {
      ended.abort()
      stream.close()
    }
  }

  /** Rejects when the API does not answer, or when the log grows and no event comes. */
  async function watch(signal, lastSeq) {
    let missing = 0
    while (true) {
      const newest = await withTimeout(deps.newest, WATCH_TIMEOUT_MS, signal)
      // What was there at the last look should be here by now.
      if (lastSeq() < missing) throw new Error('events stay away')
      missing = newest
      deps.onNewest(newest)
      await sleep(WATCH_MS, signal)
      if (signal.aborted) throw new Error('ended')
    }
  }

  async function listAgain(signal) {
    while (true) {
      await sleep(LIST_AGAIN_MS, signal)
      if (signal.aborted) throw new Error('ended')
      deps.onStreams(await withTimeout(deps.streams, LIST_TIMEOUT_MS, signal))
    }
  }

  async function withTimeout(call, ms, signal) {
    const ended = new AbortController()
    const stop = AbortSignal.any([signal, ended.signal])
    const late = sleep(ms, stop).then(() => {
      throw new Error('no answer in time')
    })
    try {
      return await Promise.race([call(stop), late])
    } finally {
      late.catch(() => {})
      ended.abort()
    }
  }

  return {
    /** Follows until `stop`, or until a session is wanted. */
    start() {
      stopping.abort()
      stopping = new AbortController()
      void run()
    },
    stop: () => stopping.abort(),
  }
}
