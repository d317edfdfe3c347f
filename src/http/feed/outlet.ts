// The connection of one reader. Written to Node's own response: how much waits for a reader has to be
// known, and nothing may be buffered for it elsewhere.
import type { ServerResponse } from 'node:http'
import type { Frames } from '../../ports/reading.ts'
import { createPacking } from './packing.ts'

export interface Outlet {
  /** Whether it takes frames packed, else as text. */
  readonly isPacked: boolean
  /** A few lines for this reader alone. */
  write(lines: string): void
  /** Frames in its form, which others get as well. */
  send(frames: Frames): void
  /** Bytes that were written and not taken by the network yet. */
  waiting(): number
  /** Resolves when nothing waits, or when it is closed. */
  drained(): Promise<void>
  end(): void
  /** Ends it at once. */
  cut(): void
  /** Aborts when the connection is gone. */
  readonly closed: AbortSignal
}

/** A reader that takes nothing for three comments is gone. */
const SILENCE_MS = 45_000
export const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  Vary: 'Accept-Encoding',
  // nginx would keep events back until its buffer is full.
  'X-Accel-Buffering': 'no',
}

/** A response as the feed writes to it; its head goes out with the first write. */
export function outletOf(response: ServerResponse, isPacked: boolean): Outlet {
  const packing = isPacked ? createPacking() : undefined
  const closed = new AbortController()
  /** Writes that the network has not taken yet, and who waits for that. */
  let under = 0
  let waiters: (() => void)[] = []

  response.once('close', gone)
  // Read by the peer or not: what matters is whether it takes what is sent.
  response.on('error', gone)

  function gone(): void {
    closed.abort()
    settle()
  }

  function settle(): void {
    for (const resolve of waiters) resolve()
    waiters = []
  }

  function taken(): void {
    under -= 1
    if (under === 0) settle()
  }

  function put(bytes: string | Uint8Array): void {
    under += 1
    response.write(bytes, taken)
  }

  function begin(): boolean {
    if (closed.signal.aborted || response.writableEnded) return false
    if (response.headersSent) return true
    response.writeHead(200, isPacked ? { ...HEADERS, 'Content-Encoding': 'gzip' } : HEADERS)
    response.socket?.setTimeout(SILENCE_MS)
    if (packing !== undefined) put(packing.head)
    return true
  }

  return {
    isPacked,
    write(lines) {
      if (begin()) put(packing?.lines(lines) ?? lines)
    },
    send({ text, packed }) {
      if (!begin()) return
      if (packing === undefined) put(text as Uint8Array)
      else put(packing.piece(packed as NonNullable<Frames['packed']>))
    },
    waiting: () => response.writableLength,
    // Node's own 'drain' comes only after a write that was told to wait.
    drained() {
      if (under === 0 || closed.signal.aborted) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      waiters.push(resolve)
      return promise
    },
    end: () => void response.end(packing?.end()),
    cut: () => void response.destroy(),
    closed: closed.signal,
  }
}
