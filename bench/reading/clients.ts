// Readers for the bench of reading, until they are ended: a hundred that follow, packed or as text, or one
// that pages through everything. Raw sockets: what is read is thrown away, but for one of the hundred,
// which says how far it is whenever a line comes in.
import { get } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { constants, createGunzip } from 'node:zlib'

const [kind, port = '0'] = process.argv.slice(2)
const READERS = 100
const GZIP = 'gzip, deflate, br, zstd'
/** Enough for an event to begin in it. */
const TAIL_BYTES = 8192
/** Read into by all sockets: nothing is made for what comes. */
const waste = Buffer.alloc(256 * 1024)

if (kind === 'paged') {
  console.log('{}')
  await pageThrough()
} else {
  const [witness] = await Promise.all([watch(), ...Array.from({ length: READERS - 1 }, follow)])
  console.log('{}')
  for await (const _ of createInterface(process.stdin)) console.log(await witness())
}

/** As a wall does: all events. */
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
  const encoding = kind === 'as_text' ? '' : `Accept-Encoding: ${GZIP}\r\n`
  socket.write(`GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\n${encoding}\r\n`)
  return promise
}

/** The same; resolves with what tells the last seq that came. It unpacks only when it is asked. */
async function watch(): Promise<() => Promise<number>> {
  const headers = kind === 'as_text' ? {} : { 'accept-encoding': GZIP }
  const path = '/v1/events/stream'
  const { promise, resolve } = Promise.withResolvers<() => Promise<number>>()
  get({ host: '127.0.0.1', port: Number(port), path, headers }, (response) => {
    let tail = ''
    let last = 0
    const read = (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1')
      last = Number([...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? last)
      tail = text.slice(-TAIL_BYTES)
    }
    if (kind === 'as_text') {
      response.on('data', (chunk: Buffer) => read(chunk.subarray(-TAIL_BYTES)))
      response.once('data', () => resolve(async () => last))
      return
    }
    const packed: Buffer[] = []
    const gunzip = createGunzip().on('data', read)
    response.on('data', (chunk: Buffer) => packed.push(chunk))
    response.once('data', () =>
      resolve(async () => {
        gunzip.write(Buffer.concat(packed.splice(0)))
        await new Promise<void>((flushed) => gunzip.flush(constants.Z_SYNC_FLUSH, flushed))
        return last
      }),
    )
  })
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
