// The cheapest client there is, since it shares two cores with what it measures: requests are bytes
// made beforehand, answers are counted by their status line, both over connections kept alive.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const STATUS_LINE = 'HTTP/1.1 '
const STATUS_DIGITS = 3

/** Connections; `onAnswer` is given what was sent with the request, and which connection it was. */
export async function openConnections<T>(
  port: number,
  count: number,
  onAnswer: (status: string, sent: T, index: number) => void,
) {
  const open = async (_: unknown, index: number) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return {
      socket,
      waiting: readAnswers<T>(socket, (status, sent) => onAnswer(status, sent, index)),
    }
  }
  const connections = await Promise.all(Array.from({ length: count }, open))
  let turn = 0
  function sendTo(index: number, requests: Uint8Array, sent: readonly T[]): void {
    const { socket, waiting } = connections[index] as (typeof connections)[number]
    waiting.push(...sent)
    socket.write(requests)
  }
  return {
    /** To the connections in turn. `requests` is as many requests as `sent` has entries. */
    send(requests: Uint8Array, sent: readonly T[]): void {
      sendTo(turn++ % count, requests, sent)
    },
    sendTo,
    unanswered: () => connections.reduce((sum, { waiting }) => sum + waiting.length, 0),
    close(): void {
      for (const { socket } of connections) socket.destroy()
    },
  }
}

/** What was sent and has no answer yet; a connection answers in order. */
function readAnswers<T>(socket: Socket, onAnswer: (status: string, sent: T) => void): T[] {
  const waiting: T[] = []
  let rest = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    const text = rest + chunk
    let end = 0
    for (;;) {
      const at = text.indexOf(STATUS_LINE, end)
      const next = at + STATUS_LINE.length + STATUS_DIGITS
      if (at === -1 || next > text.length) break
      onAnswer(text.slice(next - STATUS_DIGITS, next), waiting.shift() as T)
      end = next
    }
    // A status line may be cut in two.
    rest = text.slice(Math.max(end, text.length - STATUS_LINE.length - STATUS_DIGITS))
  })
  socket.on('error', (error) => console.error(`a connection broke: ${error.message}`))
  return waiting
}

/** Calls `send` at `perSecond` for `seconds`, whether or not answers come, with the due time. */
export async function openLoop(
  perSecond: number,
  seconds: number,
  send: (dueAt: number) => void,
): Promise<void> {
  const begun = performance.now()
  const total = perSecond * seconds
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, ((performance.now() - begun) * perSecond) / 1000)
    for (; sent < due; sent++) send(begun + (sent * 1000) / perSecond)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** A callback as bytes. */
export function rawCallback(
  port: number,
  domain: string,
  callback: { timestamp: string; signature: string; body: Uint8Array },
): Uint8Array {
  const { timestamp, signature, body } = callback
  const head = [
    `POST /callbacks/${domain} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `ALI-LIVE-TIMESTAMP: ${timestamp}`,
    `ALI-LIVE-SIGNATURE: ${signature}`,
    'Content-Type: application/json',
    `Content-Length: ${body.byteLength}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}
