// Readers for the bench of reading, until they are ended: a hundred that follow a stream each, or one
// that pages through everything. Raw sockets: what is read is thrown away.
import { connect } from 'node:net'

const [kind, port = '0'] = process.argv.slice(2)

if (kind === 'followed') {
  await Promise.all(Array.from({ length: 100 }, follow))
  console.log('{}')
} else {
  console.log('{}')
  for (;;) await pageThrough()
}

/** As a wall does: all events. */
function follow(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect({ host: '127.0.0.1', port: Number(port) })
  socket.once('error', reject)
  socket.once('data', () => resolve())
  socket.resume()
  socket.write('GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return promise
}

async function pageThrough(): Promise<void> {
  let path: string | undefined = '/v1/events?limit=100&order=asc'
  while (path !== undefined) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    await response.arrayBuffer()
    path = /^<(.*)>/.exec(response.headers.get('link') ?? '')?.[1]
  }
}
