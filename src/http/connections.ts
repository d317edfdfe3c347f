// The connections of one listener: which are idle, which have requests in flight. At the bound the
// one that has been idle longest makes room, so that idle connections lock nobody out. A request
// costs a few set operations here, an idle connection two entries.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps a listener's connections within bounds: `maxConnections` of them, each with `maxPipelined`
 * requests in flight.
 */
export function createConnections(bounds: { maxConnections: number; maxPipelined: number }) {
  const { maxConnections, maxPipelined } = bounds
  const inFlight = new Map<Socket, Set<ServerResponse>>()
  /** In the order in which they fell idle: a new connection is idle until its first request. */
  const idle = new Set<Socket>()
  let draining = false

  /** Takes a new connection in. It is refused only where none of the others is idle. */
  function admit(socket: Socket): void {
    if (inFlight.size >= maxConnections && !evictOldestIdle()) {
      socket.destroy()
      return
    }
    inFlight.set(socket, new Set())
    idle.add(socket)
    socket.once('close', () => forget(socket))
  }

  function evictOldestIdle(): boolean {
    const [oldest] = idle
    if (oldest === undefined) return false
    forget(oldest)
    oldest.destroy()
    return true
  }

  function forget(socket: Socket): void {
    inFlight.delete(socket)
    idle.delete(socket)
  }

  /**
   * Notes a request. False when it must not be worked on: its connection is gone, or goes now for
   * having too many in flight.
   */
  function begin(socket: Socket, response: ServerResponse): boolean {
    const responses = inFlight.get(socket)
    if (responses === undefined) return false
    if (responses.size >= maxPipelined) {
      forget(socket)
      socket.destroy()
      return false
    }
    if (draining) response.shouldKeepAlive = false
    idle.delete(socket)
    responses.add(response)
    response.once('close', () => settle(socket, responses, response))
    return true
  }

  function settle(socket: Socket, responses: Set<ServerResponse>, response: ServerResponse): void {
    responses.delete(response)
    if (responses.size > 0 || !inFlight.has(socket)) return
    idle.add(socket)
    if (draining) socket.destroySoon()
  }

  /**
   * From now on every answer is the last of its connection. Connections that never sent a byte end
   * here; those between two requests are ended by the server's own `close`.
   */
  function drain(): void {
    draining = true
    for (const [socket, responses] of inFlight) {
      if (socket.bytesRead === 0) socket.destroy()
      for (const response of responses) response.shouldKeepAlive = false
    }
  }

  function destroyAll(): void {
    for (const socket of inFlight.keys()) socket.destroy()
  }

  return { admit, begin, drain, destroyAll }
}
