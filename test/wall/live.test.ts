// The connection: what it says when, and how it comes back.
import { expect, test } from 'vitest'
import { createLive, Refused } from '../../src/wall/logic/live.js'
import type { CloudEvent, Connection, Listener, StreamRecord } from '../../src/wall/types.d.ts'

function setUp() {
  const said: string[] = []
  const opened: { after: number; listener: Listener; isClosed: boolean }[] = []
  const sleeps: { ms: number; wake(): void }[] = []
  const seen: number[] = []
  const it = {
    list: async (): Promise<StreamRecord[]> => [{ latest: { seq: 7 } } as StreamRecord],
    newest: async () => 7,
    now: 1000,
  }
  const live = createLive({
    streams: () => it.list(),
    newest: () => it.newest(),
    open(after, listener) {
      const one = { after, listener, isClosed: false }
      opened.push(one)
      return { close: () => (one.isClosed = true) }
    },
    onStreams: () => said.push('streams'),
    onEvent: (event) => seen.push(event.data.seq),
    onConnection: (connection: Connection) =>
      said.push(connection.kind === 'lost' ? `lost ${connection.since}` : connection.kind),
    onNewest: () => {},
    now: () => it.now,
    sleep(ms, signal) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const entry = { ms, wake: resolve }
      sleeps.push(entry)
      signal.addEventListener('abort', () => resolve())
      void promise.then(() => sleeps.splice(sleeps.indexOf(entry), 1))
      return promise
    },
  })
  const wake = async (ms: number) => {
    for (const each of sleeps.filter((sleep) => sleep.ms === ms)) each.wake()
    await settled()
  }
  const last = () => opened.at(-1) as (typeof opened)[number]
  const begin = async () => {
    live.start()
    await settled()
    last().listener.onOpen()
    await settled()
  }
  return { live, it, said, opened, seen, wake, last, begin }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5))
const event = (seq: number) => ({ data: { seq } }) as CloudEvent

test('the list comes first, then the events after it', async () => {
  const { begin, last, said, seen, live } = setUp()
  await begin()
  expect(last().after).toBe(7)
  expect(said).toEqual(['connecting', 'streams', 'live'])
  last().listener.onEvent(event(8))
  expect(seen).toEqual([8])
  live.stop()
  await settled()
  expect(last().isClosed).toBe(true)
})

test('a stream that ends is a lost connection since then, until all is there again', async () => {
  const { begin, last, said, wake, it, opened } = setUp()
  await begin()
  last().listener.onFault()
  await settled()
  it.list = async () => Promise.reject(new Error('down'))
  it.now = 5000
  await wake(2000)
  it.list = async () => [{ latest: { seq: 20 } } as StreamRecord]
  await wake(2000)
  expect(last().after).toBe(20)
  last().listener.onOpen()
  await settled()
  expect(said).toEqual([
    'connecting',
    'streams',
    'live',
    'lost 1000',
    'lost 1000',
    'streams',
    'live',
  ])
  expect(opened[0]?.isClosed).toBe(true)
})

test('an API that does not answer is a lost connection, though the stream is open', async () => {
  const { begin, said, wake, it } = setUp()
  await begin()
  it.newest = () => new Promise(() => {})
  await wake(4000)
  await wake(4000)
  expect(said.at(-1)).toBe('lost 1000')
})

test('events that stay away while the log grows are a lost connection', async () => {
  const { begin, last, said, wake, it } = setUp()
  await begin()
  it.newest = async () => 9
  await wake(4000)
  last().listener.onEvent(event(9))
  await wake(4000)
  expect(said.at(-1)).toBe('live')
  it.newest = async () => 12
  await wake(4000)
  await wake(4000)
  expect(said.at(-1)).toBe('lost 1000')
})

test('a stream that does not open is a lost connection', async () => {
  const { live, said, wake } = setUp()
  live.start()
  await settled()
  await wake(8000)
  expect(said).toEqual(['connecting', 'streams', 'lost 1000'])
})

test('without a session it waits for one; where nobody may, it asks again', async () => {
  const { live, it, said, wake } = setUp()
  it.list = async () => Promise.reject(new Refused('forbidden', 'not from here'))
  live.start()
  await settled()
  it.list = async () => Promise.reject(new Refused('signed_out', ''))
  await wake(2000)
  await wake(2000)
  expect(said).toEqual(['connecting', 'forbidden', 'signed_out'])
})
