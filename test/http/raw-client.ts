// A client that speaks bytes, for what no HTTP client would send, and waiting with a deadline.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const DEADLINE_MS = 4_000
const POLL_MS = 5

/** Resolves when the condition holds; rejects with `label` when it does not in time. */
export async function until(condition: () => boolean, label: string, deadlineMs = DEADLINE_MS) {
  const end = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for: ${label}`)
    await pause(POLL_MS)
  }
}

export type RawClient = {
  readonly socket: Socket
  send(text: string | Uint8Array): void
  /** Everything received so far. */
  text(): string
  isClosed(): boolean
  /** The status of each answer received so far. */
  statuses(): number[]
  /** Resolves when this many answers are in. */
  answers(count: number): Promise<number[]>
  closed(deadlineMs?: number): Promise<void>
}

/** Opens a connection. Errors of the socket (resets, mostly) only show as `isClosed`. */
export async function openRaw(port: number, host = '127.0.0.1'): Promise<RawClient> {
  const socket = connect({ port, host })
  let received = ''
  let closed = false
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  await once(socket, 'connect')

  const statuses = () =>
    [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
      .map((match) => Number(match[1]))
      .filter((status) => status !== 100)

  return {
    socket,
    send: (text) => void socket.write(text),
    text: () => received,
    isClosed: () => closed,
    statuses,
    async answers(count) {
      await until(() => statuses().length >= count, `${count} answers, got: ${received}`)
      return statuses()
    },
    closed: (deadlineMs) => until(() => closed, 'the connection to be closed', deadlineMs),
  }
}

/** The bytes of a request; `signature` says what the fake receiver makes of it. */
export function rawPost(options: {
  path?: string
  signature?: 'good' | 'bad'
  headers?: Record<string, string | number>
  body?: string
}): string {
  const { path = '/callbacks/play.example.com', signature = 'good', headers, body } = options
  const all = {
    Host: 'hook.example.com',
    'ALI-LIVE-TIMESTAMP': '1700000000',
    'ALI-LIVE-SIGNATURE': signature,
    ...(headers ?? { 'Content-Length': body?.length ?? 0 }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}
