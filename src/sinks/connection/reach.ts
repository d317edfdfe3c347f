// Whether a server is there: a connection, and over TLS its certificate. Nothing is sent.
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Reachability } from '../../ports/sink.ts'
import { connectionFault } from './fault.ts'

/** Several times what a handshake takes across the world. */
const REACH_TIMEOUT_MS = 5_000
/** What speaks no TLS may wait for more of what it takes for a request. */
const HANDSHAKE_MS = 2_000

export type Address = { readonly host: string; readonly port: number; readonly tls: boolean }

/** Connects and hangs up. What it says names the host, never more of a URL. */
export function reach({ host, port, tls }: Address, signal: AbortSignal): Promise<Reachability> {
  const { promise, resolve } = Promise.withResolvers<Reachability>()
  const place = placeOf(host, port)
  const settle = (reachable: boolean, detail: string): void => {
    signal.removeEventListener('abort', stop)
    socket.destroy()
    resolve({ reachable, detail })
  }
  const stop = (): void => settle(false, `gave up on ${place}`)
  const connected = (): void => settle(true, `${place} takes connections`)
  const socket = tls
    ? connectTls({ host, port, ...(isName(host) && { servername: host }) }, connected)
    : connect({ host, port }, connected)
  socket.setTimeout(REACH_TIMEOUT_MS, () => settle(false, `no answer from ${place}`))
  socket.on('error', (error) => settle(false, `${place}: ${connectionFault(error, false).reason}`))
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  return promise
}

/** Whether a port that is to be spoken to in plain text speaks TLS. Its certificate is not judged. */
export function speaksTls({ host, port }: Address, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const settle = (answer: boolean): void => {
    signal.removeEventListener('abort', stop)
    socket.destroy()
    resolve(answer)
  }
  const stop = (): void => settle(false)
  const socket = connectTls(
    { host, port, rejectUnauthorized: false, ...(isName(host) && { servername: host }) },
    () => settle(true),
  )
  socket.setTimeout(HANDSHAKE_MS, stop)
  socket.on('error', stop)
  socket.on('close', stop)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  return promise
}

/** How a host and its port are written. */
export function placeOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A server is asked for by its name; an address has none. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host)
}
