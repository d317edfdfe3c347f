// Readers for the bench of reading, until they are ended: a hundred that follow a stream each, or one
// that pages through everything. Raw sockets: what is read is thrown away.
import { connect } from 'node:net'

const [kind, port = '0'] = process.argv.slice(2)
/** Read into by all sockets: nothing is made for what comes. */
const waste = Buffer.alloc(256 * 1024)

if (kind === 'paged') {
  console.log('{}')
  await pageThrough()
} else {
  await Promise.all(Array.from({ length: 100 }, follow))
  console.log('{}')
}

/** As a wall does: all events, packed if the browser takes it, as all do. */
function follow(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onread = {
    buffer: waste,
    callback() {
      resolve()
      return true
    },
  }
  const socket = connect({ host: '127.0.0.1', port: Number(port), onread })
  socket.once('error', reject)
  const encoding = kind === 'as_text' ? '' : 'Accept-Encoding: gzip, deflate, br, zstd\r\n'
  socket.write(`GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\n${encoding}\r\n`)
  return promise
}

/** One page after the other over one connection, from the oldest event on and around. */
function pageThrough(): Promise<never> {
  const first = '/v1/events?limit=100&order=asc'
  const socket = connect({ host: '127.0.0.1', port: Number(port) })
  const ask = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  const { promise, reject } = Promise.withResolvers<never>()
  socket.once('error', reject)
  let next = first
  let left = 0
  socket.on('data', (chunk) => {
    if (left === 0) {
      // A head comes in one piece.
      const end = chunk.indexOf('\r\n\r\n')
      const head = chunk.toString('latin1', 0, end)
      next = /^link: <(.*)>/im.exec(head)?.[1] ?? first
      left = Number(/^content-length: (\d+)/im.exec(head)?.[1]) + end + 4
    }
    left -= chunk.length
    if (left === 0) ask(next)
  })
  ask(first)
  return promise
}
