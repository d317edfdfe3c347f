// Binds an app to an address, hardened against senders that are slow, silent, endless or many, and
// takes it down without losing a request. Malformed requests never reach the app: Node's own answer
// to them (400, 408, 431) has no body and ends the connection, so there is no `clientError` here.
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { describeError } from '../errors.ts'
import type { Log } from '../ports/log.ts'
import { authority, bind } from './bind.ts'
import { createConnections } from './connections.ts'

export type Limits = {
  readonly maxHeaderBytes: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly silenceTimeoutMs: number
  readonly checkIntervalMs: number
  readonly maxConnections: number
  readonly maxPipelined: number
}

const LIMITS: Limits = {
  /** Request line included. A callback has a few hundred bytes; proxies and tokens add some. */
  maxHeaderBytes: 8 * 1024,
  /** From the first moment of a connection, so it also ends one that never sends a byte. */
  headersTimeoutMs: 5_000,
  /** Headers and body. The provider gives up after 5 s: a request this slow is nobody's. */
  requestTimeoutMs: 8_000,
  /** Above the 60 s of common proxies: who closes first loses the request that is on its way. */
  keepAliveTimeoutMs: 75_000,
  /** A request in flight whose peer does not read its answers; above any time that one takes. */
  silenceTimeoutMs: 15_000,
  /** How often the two request time-outs are looked at: adds to each at most this. */
  checkIntervalMs: 1_000,
  /** A few kilobytes each when idle; far more than the provider and its proxies open. */
  maxConnections: 8_192,
  /** Neither the provider nor proxies pipeline; a flood of requests in one packet ends here. */
  maxPipelined: 32,
}

/** For HTTP/1.0 requests without Host. Nothing is decided by it. */
const FALLBACK_HOST = 'localhost'

export type App = {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>
}

export type Listener = {
  readonly url: string
  readonly port: number
  /**
   * Stops accepting, ends idle connections and resolves when all requests in flight are answered;
   * what is left after `deadlineMs` is cut off. The first call counts.
   */
  close(deadlineMs: number): Promise<void>
}

/** Serves an app on an address. Rejects with `listen_failed` where that is not to be had. */
export async function listen(
  app: App,
  options: { host: string; port: number; log: Log; limits?: Partial<Limits> },
): Promise<Listener> {
  const { host, port, log } = options
  const limits = { ...LIMITS, ...options.limits }
  const connections = createConnections(limits)
  const server = createServer(app, connections, limits)
  server.on('connection', connections.admit)

  await bind(server, host, port)
  // An accept that failed, for want of descriptors, costs one connection and not the process.
  server.on('error', (error) => log.warn('cannot accept', { error: describeError(error) }))

  let closed: Promise<void> | undefined
  const address = server.address() as AddressInfo
  return {
    url: `http://${authority(address.address, address.port)}`,
    port: address.port,
    close(deadlineMs) {
      closed ??= close(server, connections, deadlineMs)
      return closed
    },
  }
}

type Connections = ReturnType<typeof createConnections>

function createServer(app: App, connections: Connections, limits: Limits): Server {
  const server = createAdaptorServer({
    fetch(request, env) {
      const { incoming, outgoing } = env as HttpBindings
      if (!connections.begin(incoming.socket, outgoing)) return new Response(null, { status: 503 })
      // The adaptor drains a body that the app leaves unread, or ends the connection within half a
      // second, but takes it that these two methods have none.
      if (isRead(incoming.method) && hasBody(incoming)) outgoing.shouldKeepAlive = false
      return app.fetch(request, env as HttpBindings)
    },
    hostname: FALLBACK_HOST,
    serverOptions: {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
    },
  }) as Server
  server.timeout = limits.silenceTimeoutMs
  return server
}

function isRead(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

async function close(server: Server, connections: Connections, deadlineMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  connections.drain()
  const deadline = setTimeout(connections.destroyAll, deadlineMs)
  await closed
  clearTimeout(deadline)
}
