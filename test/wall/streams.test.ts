// The streams as the page keeps them: states as the service reckons them, order, filters, and which
// shot is the latest.
import { expect, test } from 'vitest'
import { streamState } from '../../src/core/events/stream-state.ts'
import { createStreams, keyOf, namesOf, stateOf, titleOf } from '../../src/wall/logic/streams.js'
import { readView } from '../../src/wall/logic/view.js'
import type { CloudEvent, StreamRecord } from '../../src/wall/types.d.ts'

const NOW = Date.parse('2026-11-25T12:00:00Z')

let seq = 0
function shot(agoMs = 0, over: object = {}) {
  seq += 1
  const receivedAt = new Date(NOW - agoMs).toISOString()
  const place = { bucket: 'b', endpoint: 'e', object: `${seq}.jpg` }
  return { id: `id-${seq}`, seq, ...place, capturedAt: receivedAt, receivedAt, ...over }
}

function record(stream: string | null, agoMs = 0, over: object = {}): StreamRecord {
  const latest = shot(agoMs)
  const names = { domain: 'd.example.com', app: 'live', stream }
  return {
    ...names,
    latest,
    events: 1,
    firstSeenAt: latest.receivedAt,
    intervalSeconds: 5,
    state: 'live',
    ...over,
  }
}

function event(stream: string, agoMs = 0, over: object = {}): CloudEvent {
  const { id, ...rest } = shot(agoMs, over)
  const names = { domain: 'd.example.com', app: 'live', stream }
  return {
    id,
    time: rest.receivedAt,
    data: { ...names, origin: 'callback', flags: [], ...rest, ...over },
  }
}

function filled(...records: StreamRecord[]) {
  const it = createStreams()
  it.replace(records)
  return it
}

const names = (it: ReturnType<typeof createStreams>, search = '') =>
  it.arrange(readView(search), NOW).map(({ stream }) => stream)

test.each([
  ['live', 5, 29_999],
  ['late', 5, 30_000],
  ['late', 5, 299_999],
  ['silent', 5, 300_000],
  ['live', 20, 59_999],
  ['late', 20, 60_000],
  ['late', 60, 599_999],
  ['silent', 60, 600_000],
  ['live', null, 299_999],
  ['silent', null, 300_000],
])('%s: an interval of %s s, and nothing for %d ms', (state, intervalSeconds, ageMs) => {
  expect(stateOf({ seenAt: NOW - ageMs, intervalSeconds }, NOW)).toBe(state)
  // The page reckons by itself between two answers of the service: by the same rule.
  const intervalMs = intervalSeconds === null ? null : 1_000 * intervalSeconds
  expect(streamState(ageMs, intervalMs)).toBe(state)
})

test('a key is the names, whatever they hold, and can stand in a URL', () => {
  const odd = { domain: 'd.example.com', app: 'a/b', stream: '50% ä?&' }
  expect(namesOf(keyOf(odd))).toEqual(odd)
  expect(namesOf(keyOf({ domain: 'd', app: null, stream: null }))).toEqual({
    domain: 'd',
    app: null,
    stream: null,
  })
  expect(namesOf('d/a/100%')).toEqual({ domain: 'd', app: 'a', stream: '100%' })
})

test('what has no name is called so', () => {
  expect(titleOf({ app: null, stream: null })).toBe('without a name')
  expect(titleOf({ app: 'live', stream: null })).toBe('live, without a name')
})

test('tiles stand by name, with numbers as numbers', () => {
  expect(names(filled(record('cam-10'), record('cam-2'), record('Bar')))).toEqual([
    'Bar',
    'cam-2',
    'cam-10',
  ])
})

test('recent and stalest go by the latest shot, and pins come first', () => {
  const it = filled(record('a', 3_000), record('b', 1_000), record('c', 2_000))
  expect(names(it, '?order=recent')).toEqual(['b', 'c', 'a'])
  expect(names(it, '?order=stalest')).toEqual(['a', 'c', 'b'])
  expect(names(it, '?order=recent&pin=d.example.com/live/a')).toEqual(['a', 'b', 'c'])
})

test('filters narrow, and counts count without the one of state', () => {
  const it = filled(
    record('one'),
    record('two', 60_000),
    record('three', 0, { domain: 'x.example.com', app: 'sports' }),
  )
  expect(names(it, '?q=TW')).toEqual(['two'])
  expect(names(it, '?domain=x.example.com')).toEqual(['three'])
  expect(names(it, '?app=sports')).toEqual(['three'])
  expect(names(it, '?state=late')).toEqual(['two'])
  const counts = it.counts(readView('?state=late'), NOW, (stream) => stateOf(stream, NOW))
  expect(counts).toEqual({ all: 3, live: 2, late: 1, silent: 0, unknown: 0 })
})

test('an event brings a new stream, or a newer shot of one that is known', () => {
  const it = filled(record('a', 50_000))
  const [before] = it.arrange(readView(''), NOW)
  expect(it.apply(event('a', 1_000))).toBe(before?.key)
  expect(stateOf(before as never, NOW)).toBe('live')
  expect(it.apply(event('new'))).toBe('d.example.com/live/new')
  expect(names(it)).toEqual(['a', 'new'])
})

test('a shot that came before, and one that the audit found late, replace nothing', () => {
  const it = filled(record('a', 1_000))
  expect(it.apply(event('a', 0, { seq: 0 }))).toBeUndefined()
  expect(it.apply(event('a', 600_000, { origin: 'audit' }))).toBeUndefined()
  expect(it.apply(event('a', 0, { origin: 'audit' }))).toBeDefined()
})

test('a list that was read before an event takes nothing back', () => {
  const it = filled(record('a', 9_000))
  const old = record('a', 9_000)
  it.apply(event('a'))
  it.replace([old])
  expect(it.arrange(readView(''), NOW)[0]?.seenAt).toBe(NOW)
})

test('a list anew leaves a stream that is known the one it is, with its newest shot and interval', () => {
  const it = filled(record('b', 9_000), record('a'))
  const before = it.arrange(readView(''), NOW)
  it.replace([record('a'), record('b', 1_000, { intervalSeconds: 20 })])
  const after = it.arrange(readView(''), NOW)
  expect(after[0]).toBe(before[0])
  expect(after[1]).toBe(before[1])
  expect(after[1]).toMatchObject({ seenAt: NOW - 1_000, intervalSeconds: 20 })
})

test('a list forgets streams that are gone', () => {
  const it = filled(record('a'), record('b'))
  it.replace([record('b')])
  expect(names(it)).toEqual(['b'])
})

test('a capture time ahead of its receipt makes no shot younger', () => {
  const it = filled()
  it.apply(event('a', 10_000, { capturedAt: new Date(NOW + 60_000).toISOString() }))
  expect(it.arrange(readView(''), NOW)[0]?.takenAt).toBe(NOW - 10_000)
})
