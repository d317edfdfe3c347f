// The readers of the live events over real sockets: what they cost, and what becomes of those that don't
// read, or that an end or a failing store meets.
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { MAX_READERS } from '../../../src/http/feed/feed.ts'
import { type ApiHere, serveApi, shotOf } from '../../support/service/api-here.ts'
import { readEvents } from '../../support/service/sse-reader.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { until } from '../../support/until.ts'

/** Packed, as browsers and `fetch` ask for it, and as text. */
const FORMS = [{}, { 'accept-encoding': 'identity' }]
let count = 0
const shot = (fields: object = {}) => shotOf({ OssObject: `o/${++count}`, ...fields })
const shots = (n: number, fields: object = {}) => Array.from({ length: n }, () => shot(fields))

test('a hundred readers cost one read of the log per growth', async () => {
  const store = memoryStore()
  let reads = 0
  const original = store.findFrames
  store.findFrames = (...asked) => {
    reads += 1
    return original(...asked)
  }
  await using api = await serveApi({ store })
  await api.append(shot())
  const readers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => readEvents(api, '?after=0', FORMS[n % 2])),
  )
  await until('all to be abreast', () => readers.every((reader) => reader.ids().at(-1) === 1))
  await until('reads to end', async () => {
    const before = reads
    await new Promise(setImmediate)
    return reads === before
  })
  // All began at the same place: what one has read was there for the others, in either form.
  expect(reads).toBeLessThanOrEqual(10)
  reads = 0
  await api.append(shot())
  await until('all to have it', () => readers.every((reader) => reader.ids().at(-1) === 2))
  expect(reads).toBeLessThanOrEqual(2)
  await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()))
})

test('a reader that does not read is cut, and resumes without a gap', async () => {
  await using api = await serveApi()
  await api.append(shot())

  const socket = await deafReader(api)

  const closed = new Promise((resolve) => socket.once('close', resolve))
  await until('it to be abreast', () => api.feed.count() === 1)
  const raw = 'x'.repeat(60_000)
  await until('it to be cut', async () => {
    await api.append(shot({ raw }))
    return api.feed.count() === 0
  })
  socket.resume()
  await closed
  expect(api.counts.at(-1)).toBe(0)
  await using reader = await readEvents(api, '?after=1')
  const { last } = await api.store.logRange()
  await until('the last event', () => reader.ids().at(-1) === last)
  expect(reader.ids()).toEqual(Array.from({ length: last - 1 }, (_, i) => i + 2))
})

test('a comment comes while nothing else does, and says how far a narrow filter is', async () => {
  await using api = await serveApi({ heartbeatMs: 30 })
  await using reader = await readEvents(api, '?after=0&stream=none')
  await until('comments', () => reader.head.split(': \n\n').length > 2)
  await api.append(...shots(3))
  await until('the place', () => reader.head.includes(': \nid: 3\n\n'))
  expect(reader.events).toEqual([])
})

test('all ends in order, and none is taken after that', async () => {
  await using api = await serveApi()
  const reader = await readEvents(api, '?after=0')
  await until('it to be abreast', () => api.feed.count() === 1)
  api.feed.close()
  await reader.ended
  const response = await api.get('/v1/events/stream')
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('5')
  expect(await response.json()).toMatchObject({ code: 'too_many_readers' })
})

test('no more readers are taken than there is room for', async () => {
  await using api = await serveApi()
  const outlets = Array.from({ length: MAX_READERS }, () => {
    const closed = new AbortController()
    const nothing = () => undefined
    const outlet = { write: nothing, send: nothing, waiting: () => 0, end: nothing, cut: nothing }
    return {
      ...outlet,
      isPacked: false,
      drained: async () => undefined,
      closed: closed.signal,
      leave: () => closed.abort(),
    }
  })
  const filter = { domain: null, app: null, stream: null, flag: null, origin: null }
  const every = { ...filter, since: null, until: null }
  for (const outlet of outlets) expect(api.feed.follow(every, null, outlet)).toBe(true)
  expect((await api.get('/v1/events/stream')).status).toBe(503)
  outlets[0]?.leave()
  await using reader = await readEvents(api, '?after=0')
  expect(reader.response.status).toBe(200)
  expect(api.feed.count()).toBe(MAX_READERS)
})

test('a store that fails for a while loses nobody an event', async () => {
  await using api = await serveApi()
  await api.append(shot())
  await using reader = await readEvents(api, '?after=0')
  await until('it to be abreast', () => reader.ids().at(-1) === 1)
  await api.store.append(shot())
  Object.assign(api.store, { fail: 'store_failed' })
  api.feed.notify()
  await new Promise(setImmediate)
  Object.assign(api.store, { fail: undefined })
  await until('the event', () => reader.ids().at(-1) === 2)
})

/** A request as it is, not unpacked. */

async function deafReader(api: ApiHere): Promise<Socket> {
  const { hostname, port } = new URL(api.url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  socket.write('GET /v1/events/stream?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
  return socket.pause()
}
