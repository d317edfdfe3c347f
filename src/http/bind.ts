// Binds a server to an address, or says in one sentence why that is not to be had.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { describeError, ServiceError } from '../errors.ts'

/**
 * Connections that the kernel may hold until they are accepted. Node's 511 is overrun by a burst of
 * idle ones, and an honest sender then waits a second until its kernel tries again.
 */
const BACKLOG = 4_096

/** Resolves when `server` listens; rejects with `listen_failed`. An IPv6 host may have brackets. */
export async function bind(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port, backlog: BACKLOG })
    await once(server, 'listening')
  } catch (cause) {
    throw listenFailed(authority(host, port), cause)
  }
}

/** Host and port as a URL has them: an IPv6 address in brackets. */
export function authority(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`
}

function listenFailed(address: string, cause: unknown): ServiceError {
  const message = `Can't listen on ${address}: ${reasonOf(cause)}.`
  return new ServiceError(message, { code: 'listen_failed', cause })
}

function reasonOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException
  switch (code) {
    case 'EADDRINUSE':
      return 'the address is in use; stop what listens there or choose another port'
    case 'EACCES':
      return 'not permitted; choose a port above 1023'
    case 'ERR_SOCKET_BAD_PORT':
      return 'a port is a number from 0 to 65535'
    case 'EADDRNOTAVAIL':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOTFOUND':
      return 'this machine has no such address'
    default:
      return code ?? describeError(cause)
  }
}
