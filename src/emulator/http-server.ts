// The listener: bound before the rest is built, since the rest wants to know its address.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** An address to listen at that means every address, and how to call oneself there. */
const UNSPECIFIED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Listens at an address; port 0 takes a free one. `close` ends open connections at once. */
export async function listen(host: string, port: number) {
  const server = createServer()
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const name = UNSPECIFIED[host] ?? host
  const authority = `${name.includes(':') ? `[${name}]` : name}:${address.port}`
  return {
    authority,
    url: `http://${authority}`,
    serve(listener: Listener): void {
      server.on('request', (request, response) => {
        listener(request, response).catch(() => response.destroy())
      })
    },
    async close(): Promise<void> {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
