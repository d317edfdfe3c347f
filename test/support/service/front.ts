// Stands where a load balancer would: a public URL that is known before anything listens behind it,
// and stays the same when the services behind it come and go.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A forwarder on loopback; with nobody behind it, it closes every connection. */
export async function openFront() {
  const sockets = new Set<Socket>()
  let behind: URL[] = []
  let turn = 0

  const server = createServer((socket) => {
    const target = behind[turn++ % behind.length]
    if (target === undefined) return socket.destroy()
    const onward = connect({ host: target.hostname, port: Number(target.port) })
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => sockets.delete(one))
      one.pipe(other)
    }
    return socket
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    /** From now on, connections go to these URLs in turn. */
    lead(...urls: string[]): void {
      behind = urls.map((url) => new URL(url))
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
