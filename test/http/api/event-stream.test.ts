// The live events over real sockets: where they begin, and that nothing is left out or comes twice.
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { EVERY_EVENT } from '../../../src/core/events/event-filter.ts'
import { withTexts } from '../../../src/store/event-texts.ts'
import { type ApiHere, serveApi, shotOf } from '../../support/service/api-here.ts'
import { readEvents } from '../../support/service/sse-reader.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { until } from '../../support/until.ts'

/** Packed, as browsers and `fetch` ask for it, and as text. */
const FORMS = [{}, { 'accept-encoding': 'identity' }]
const ALL_OF = { order: 'asc', after: null, limit: 1_000_000 } as const
let count = 0
const shot = (fields: object = {}) => shotOf({ OssObject: `o/${++count}`, ...fields })
const shots = (n: number, fields: object = {}) => Array.from({ length: n }, () => shot(fields))

describe('where they begin', () => {
  test('with what comes next', async () => {
    await using api = await serveApi()
    await api.append(...shots(3))
    await using reader = await readEvents(api, '')
    await until('the reader to be taken in', () => api.feed.count() === 1)
    await until('it to be abreast', async () => {
      await api.append(shot())
      return reader.events.length > 0
    })
    expect(reader.head).toContain('retry: 2000\n\n')
    expect(Number(reader.events[0]?.id)).toBeGreaterThan(3)
    expect(reader.events[0]).toMatchObject({ event: 'snapshot' })
    const data = JSON.parse(reader.events[0]?.data ?? '')
    expect(data.data.seq).toBe(Number(reader.events[0]?.id))
    expect(reader.response.headers.get('content-type')).toBe('text/event-stream')
  })

  test.each([
    ['?after=2', {}, [3, 4, 5, 6, 7]],
    ['?after=0', {}, [1, 2, 3, 4, 5, 6, 7]],
    ['', { 'last-event-id': '4' }, [5, 6, 7]],
    ['?after=1', { 'last-event-id': '5' }, [6, 7]],
    ['?after=2&stream=odd', {}, [3, 5, 7]],
  ])('behind a place: %s %j', async (query, headers, expected) => {
    await using api = await serveApi()
    for (let n = 1; n <= 5; n++) await api.append(shot({ StreamName: n % 2 ? 'odd' : 'even' }))
    await using reader = await readEvents(api, query, headers)
    await api.append(shot({ StreamName: 'even' }), shot({ StreamName: 'odd' }))
    await until('the last event', () => reader.ids().at(-1) === 7)
    expect(reader.ids()).toEqual(expected)
  })

  test('what retention took is a gap, and what never was in this log as well', async () => {
    const store = memoryStore()
    const { findEvents, logRange } = store
    // As after retention: the first five are gone.
    store.logRange = async () => ({ ...(await logRange()), first: 6 })
    Object.assign(
      store,
      withTexts(async (query) => {
        const page = await findEvents(query)
        const events = page.events.filter(({ seq }) => seq > 5)
        return { ...page, events, kept: { ...page.kept, first: 6 } }
      }),
    )
    await using api = await serveApi({ store })
    await api.append(...shots(8))
    await using behind = await readEvents(api, '?after=2')
    await until('the last event', () => behind.ids().at(-1) === 8)
    expect(behind.events[0]).toEqual({ id: '5', event: 'gap', data: '{"from":3,"to":5}' })
    expect(behind.ids()).toEqual([5, 6, 7, 8])
    await using exact = await readEvents(api, '?after=5')
    await until('the last event', () => exact.ids().at(-1) === 8)
    expect(exact.ids()).toEqual([6, 7, 8])
    await using foreign = await readEvents(api, '', { 'last-event-id': '4711' })
    await until('the gap', () => foreign.events.length > 0)
    expect(foreign.events[0]).toEqual({ id: '8', event: 'gap', data: '{"from":1,"to":8}' })
  })

  test('ends with the token that it was asked for with', async () => {
    const begun = performance.now()
    await using api = await serveApi({ tokenEndsAt: Date.now() + 300 })
    const response = await api.get('/v1/events/stream')
    expect(await response.text()).toContain('retry: 2000')
    expect(performance.now() - begun).toBeGreaterThan(250)
  })

  test.each(['x', '-1', '1.5', '12345678901234567890'])(
    'Last-Event-ID %s is refused',
    async (id) => {
      await using api = await serveApi()
      const response = await api.get('/v1/events/stream', { headers: { 'last-event-id': id } })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ parameters: [{ parameter: 'Last-Event-ID' }] })
    },
  )
})

test('readers that join while events come miss none and see none twice', async () => {
  await using api = await serveApi()
  await api.append(...shots(50))
  let appending = true
  const appended = (async () => {
    while (appending) {
      await api.append(...shots(4), shot({ StreamName: 'odd' }))
      // Whoever reads, in this same process, gets its turn.
      await pause(2)
    }
  })()
  const readers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => readEvents(api, `?after=${n}`, FORMS[n % 2])),
  )
  await using narrow = await readEvents(api, '?after=3&stream=odd')
  await until('all to be far', () => readers.every((reader) => (reader.ids().at(-1) ?? 0) > 200))
  appending = false
  await appended
  const { last } = await api.store.logRange()
  await until('all to be at the end', () => readers.every((reader) => reader.ids().at(-1) === last))
  for (const [n, reader] of readers.entries()) {
    expect(reader.ids()).toEqual(Array.from({ length: last - n }, (_, i) => n + 1 + i))
    await reader[Symbol.asyncDispose]()
  }
  const odd = (await api.store.findEvents({ ...EVERY_EVENT, ...ALL_OF, stream: 'odd' })).events
  await until('the last odd one', () => narrow.ids().at(-1) === odd.at(-1)?.seq)
  expect(narrow.ids()).toEqual(odd.map(({ seq }) => seq))
})

test.each([
  ['gzip', 'gzip'],
  ['br, gzip;q=0.5', 'gzip'],
  ['GZIP', 'gzip'],
  ['gzip;q=0', null],
  ['gzip; q=0.0', null],
  ['br, x-gzip', null],
  ['identity', null],
])('Accept-Encoding: %s is answered with %s', async (accepted, expected) => {
  await using api = await serveApi()
  await api.append(shot({ StreamName: 'ü' }))
  await using reader = await readEvents(api, '?after=0', { 'accept-encoding': accepted })
  expect(reader.response.headers.get('content-encoding')).toBe(expected)
  expect(reader.response.headers.get('vary')).toBe('Accept-Encoding')
  await until('the event', () => reader.ids().at(-1) === 1)
  await api.append(shot())
  await until('the next one', () => reader.ids().at(-1) === 2)
})

test('a packed stream that ends is a whole one', async () => {
  await using api = await serveApi({ heartbeatMs: 20 })
  await api.append(...shots(3))
  const body = await rawGet(api, '/v1/events/stream?after=0', {
    'accept-encoding': 'gzip',
  })
  const chunks: Buffer[] = []
  body.on('data', (chunk: Buffer) => chunks.push(chunk))
  await until('comments and events', () => Buffer.concat(chunks).byteLength > 400)
  await api.append(shot())
  await until('the last one to be handed on', () => api.counts.at(-1) === 1)
  const before = Buffer.concat(chunks).byteLength
  await until('it', () => Buffer.concat(chunks).byteLength > before + 100)
  api.feed.close()
  await once(body, 'end')
  expect(body.headers['content-encoding']).toBe('gzip')
  // Throws where the checksum or the length at its end is not right.
  const text = gunzipSync(Buffer.concat(chunks)).toString()
  expect([...text.matchAll(/^id: (\d+)\nevent/gm)].map(([, id]) => Number(id))).toEqual([
    1, 2, 3, 4,
  ])
  expect(text).toContain('\n\n: \n\n')
})

test('whoever knows of events that the others are about to get waits with them', async () => {
  const store = memoryStore()
  await using api = await serveApi({ store })
  await api.append(shot())
  await using first = await readEvents(api, '?after=0')
  await until('it to be abreast', () => first.ids().at(-1) === 1)
  // Nobody is told of these.
  for (const each of shots(3)) await store.append(each)
  await using ahead = await readEvents(api, '?after=3')
  await until('the last event', () => ahead.ids().at(-1) === 4)
  await until('the others to have all', () => first.ids().at(-1) === 4)
  expect(ahead.ids()).toEqual([4])
  expect(first.ids()).toEqual([1, 2, 3, 4])
})

test('a reader that begins with what comes next gets nothing that was there', async () => {
  const store = memoryStore()
  await using api = await serveApi({ store })
  await using first = await readEvents(api, '?after=0')
  await until('it to be taken in', () => api.feed.count() === 1)
  // The feed has not handed on this one when the second reader comes.
  await store.append(shot())
  await using second = await readEvents(api, '')
  await until('both to be taken in', () => api.feed.count() === 2)
  await until('both to have what comes next', async () => {
    await api.append(shot())
    return first.events.length > 1 && second.events.length > 0
  })
  expect(first.ids()[0]).toBe(1)
  expect(second.ids()[0]).toBeGreaterThan(1)
})

async function rawGet(api: ApiHere, path: string, headers: Record<string, string>) {
  const asked = request(`${api.url}${path}`, { headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response
}

/** A client that asks and then takes nothing from its socket. */
