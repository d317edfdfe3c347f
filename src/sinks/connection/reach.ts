// Whether a server is there: a connection, and over TLS its certificate. Nothing is sent.
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Reachability } from '../../ports/sink.ts'

/** Several times what a handshake takes across the world. */
const REACH_TIMEOUT_MS = 5_000

export type Address = { readonly host: string; readonly port: number; readonly tls: boolean }

/** Connects and hangs up. What it says names the host, never more of a URL. */
export function reach({ host, port, tls }: Address, signal: AbortSignal): Promise<Reachability> {
  const { promise, resolve } = Promise.withResolvers<Reachability>()
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
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
  socket.on('error', (error) =>
    settle(false, `no connection to ${place} (${codeOf(error) ?? 'no code'})`),
  )
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  return promise
}

/** The code of a fault of the network or of TLS, never its message: that may hold a URL. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z][A-Z0-9_]{2,50}$/.test(code) ? code : undefined
}

/** A server is asked for by its name; an address has none. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host)
}
