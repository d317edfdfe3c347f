// What every store that can be looked into has to do, whatever it is made of.
import { inflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { EVERY_EVENT } from '../../src/core/events/event-filter.ts'
import { eventFrame } from '../../src/core/events/event-text.ts'
import { type NewEvent, toCloudEvent } from '../../src/core/events/snapshot-event.ts'
import type { EventQuery, Frames, Reading, StreamQuery } from '../../src/ports/reading.ts'
import type { Store } from '../../src/ports/store.ts'
import { DOMAIN, shotOf } from '../support/service/api-here.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const OTHER = 'other.example.com'

const query = (over: Partial<EventQuery> = {}): EventQuery => ({
  ...EVERY_EVENT,
  order: 'asc',
  after: null,
  limit: 100,
  ...over,
})
const streamQuery = (over: Partial<StreamQuery> = {}): StreamQuery => ({
  ...{ domain: null, app: null, state: null, q: null, order: 'name', after: null, limit: 100 },
  now: NOW,
  ...over,
})

/** Shot `n` of ten, a minute apart; the last one at `NOW`. */
function shot(n: number, fields: Record<string, unknown> = {}, domain = DOMAIN): NewEvent {
  const receivedAt = NOW - (10 - n) * 60_000
  const names = { AppName: 'live', StreamName: n % 2 === 0 ? 'even' : 'odd', OssObject: `o/${n}` }
  return shotOf({ ...names, CreateTimestamp: receivedAt - 200, ...fields }, { domain, receivedAt })
}

/** A piece has no last block: it is put between others. */
function unpacked(frames: Frames | null | undefined): string {
  const end = Buffer.from([1, 0, 0, 0xff, 0xff])
  return inflateRawSync(Buffer.concat([frames?.packed?.bytes ?? end, end])).toString()
}

export function readingContract(name: string, open: () => Promise<Store & Reading>): void {
  async function filled(): Promise<Store & Reading> {
    const store = await open()
    for (let n = 1; n <= 10; n++) await store.append(shot(n))
    return store
  }

  const seqsOf = async (store: Reading, over: Partial<EventQuery>) =>
    (await store.findEvents(query(over))).events.map(({ seq }) => seq)

  describe(`${name}: looking for events`, () => {
    test('an empty log has none', async () => {
      const store = await open()
      expect(await store.findEvents(query())).toEqual({
        events: [],
        next: null,
        kept: { first: 1, last: 0 },
      })
      expect(await store.logRange()).toEqual({ first: 1, last: 0 })
      expect((await store.findStreams(streamQuery())).streams).toEqual([])
      await store.close()
    })

    test.each(['asc', 'desc'] as const)(
      '%s: pages hold each event once, and end',
      async (order) => {
        const store = await filled()
        const seen: number[] = []
        let after: number | null = null
        do {
          const page: Awaited<ReturnType<Reading['findEvents']>> = await store.findEvents(
            query({ order, after, limit: 3 }),
          )
          seen.push(...page.events.map(({ seq }) => seq))
          after = page.next
        } while (after !== null)
        const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        expect(seen).toEqual(order === 'asc' ? all : all.toReversed())
        await store.close()
      },
    )

    test('a page that ends with the log has no next one', async () => {
      const store = await filled()
      expect((await store.findEvents(query({ limit: 10 }))).next).toBeNull()
      expect((await store.findEvents(query({ limit: 9 }))).next).toBe(9)
      expect((await store.findEvents(query({ after: 10 }))).next).toBeNull()
      await store.close()
    })

    test('gives back what was kept, byte for byte', async () => {
      const store = await filled()
      const [event] = (await store.findEvents(query({ limit: 1 }))).events
      const { body, ...rest } = shot(1)
      expect({ ...event, body: null }).toEqual({ ...rest, seq: 1, body: null })
      expect(Buffer.from(event?.body ?? [])).toEqual(Buffer.from(body))
      await store.close()
    })

    test.each<[string, Partial<EventQuery>, number[]]>([
      ['a stream', { stream: 'even' }, [2, 4, 6, 8, 10]],
      ['a stream and an app', { stream: 'odd', app: 'live' }, [1, 3, 5, 7, 9]],
      ['a stream of another app', { stream: 'odd', app: 'other' }, []],
      ['a part of a name', { stream: 'eve' }, []],
      ['a time', { since: NOW - 120_000 }, [8, 9, 10]],
      ['a range of time', { since: NOW - 120_000, until: NOW }, [8, 9]],
      ['the origin', { origin: 'audit' }, []],
      ['a domain', { domain: OTHER }, []],
    ])('by %s', async (_, over, expected) => {
      const store = await filled()
      expect(await seqsOf(store, over)).toEqual(expected)
      expect(await seqsOf(store, { ...over, order: 'desc' })).toEqual(expected.toReversed())
      await store.close()
    })

    test('by names that JSON spells in several ways, and by flags', async () => {
      const store = await open()
      const names = ['ü/"x"', '123', '1e21', 'a\\b', 'a\u0007b', '\ud800', '猫', 'escaped']
      for (const [n, stream] of names.entries()) await store.append(shot(n, { StreamName: stream }))
      const escaped = String.raw`{"StreamName":"\u0065scaped","OssObject":"o"}`
      const base = shotOf({})
      await store.append({ ...base, id: 'e'.repeat(64), body: Buffer.from(escaped) })
      await store.append({
        ...base,
        id: 'f'.repeat(64),
        body: Buffer.from('{"stream":123,"app":1e3}'),
      })
      expect(await seqsOf(store, { stream: 'ü/"x"' })).toEqual([1])
      expect(await seqsOf(store, { stream: '123' })).toEqual([2, 10])
      expect(await seqsOf(store, { app: '1000' })).toEqual([10])
      expect(await seqsOf(store, { stream: '1e21' })).toEqual([3])
      expect(await seqsOf(store, { stream: 'a\\b' })).toEqual([4])
      expect(await seqsOf(store, { stream: 'a\ufffdb' })).toEqual([5])
      expect(await seqsOf(store, { stream: '猫' })).toEqual([7])
      expect(await seqsOf(store, { stream: 'escaped' })).toEqual([8, 9])
      expect(await seqsOf(store, { flag: 'no_object' })).toEqual([10])
      await store.close()
    })

    test('up to a seq, and no further', async () => {
      const store = await filled()
      expect(await seqsOf(store, { after: 3, upTo: 6 })).toEqual([4, 5, 6])
      expect((await store.findEvents(query({ after: 3, upTo: 6 }))).next).toBeNull()
      expect((await store.findEvents(query({ after: 3, upTo: 6, limit: 3 }))).next).toBeNull()
      expect(await seqsOf(store, { after: 8, upTo: 99 })).toEqual([9, 10])
      expect(await seqsOf(store, { upTo: 4, order: 'desc' })).toEqual([4, 3, 2, 1])
      await store.close()
    })

    test('as JSON, the same as they are shown', async () => {
      const store = await filled()
      const asked = query({ stream: 'even', limit: 2 })
      const { events, ...page } = await store.findEvents(asked)
      const { json, written, ...rest } = await store.findJson(asked)
      expect(JSON.parse(`[${Buffer.from(json)}]`)).toEqual(
        JSON.parse(JSON.stringify(events.map(toCloudEvent))),
      )
      expect(written).toEqual({ ids: events.map(({ id }) => id), seqs: [2, 4] })
      expect(rest).toEqual(page)
      const none = await store.findJson(query({ stream: 'none' }))
      expect(none).toMatchObject({ written: { ids: [], seqs: [] }, next: null })
      expect(none.json.byteLength).toBe(0)
      await store.close()
    })

    test('as frames, for each who wants some, in their forms', async () => {
      const store = await filled()
      const { events } = await store.findEvents(query())
      const textOf = (seqs: number[]) =>
        events
          .filter(({ seq }) => seqs.includes(seq))
          .map(eventFrame)
          .join('')
      const page = await store.findFrames(query({ after: 5 }), [
        { filter: EVERY_EVENT, text: true, packed: true },
        { filter: { ...EVERY_EVENT, stream: 'odd' }, text: false, packed: true },
        { filter: { ...EVERY_EVENT, domain: OTHER }, text: true, packed: true },
        { filter: { ...EVERY_EVENT, since: NOW }, text: true, packed: false },
      ])
      const [every, odd, none, latest] = page.parts
      expect(page).toMatchObject({ next: null, kept: { first: 1, last: 10 } })
      expect(page.written.seqs).toEqual([6, 7, 8, 9, 10])
      expect(page.written.ids).toEqual(events.slice(5).map(({ id }) => id))
      expect(Buffer.from(every?.text ?? []).toString()).toBe(textOf([6, 7, 8, 9, 10]))
      expect(unpacked(every)).toBe(textOf([6, 7, 8, 9, 10]))
      expect(unpacked(odd)).toBe(textOf([7, 9]))
      expect(odd).toMatchObject({ text: null, lastSeq: 9 })
      expect(none).toBeNull()
      expect(Buffer.from(latest?.text ?? []).toString()).toBe(textOf([10]))
      expect(latest?.packed).toBeNull()
      await store.close()
    })

    test('frames that nobody wants are not written', async () => {
      const store = await filled()
      const page = await store.findFrames(query({ limit: 4 }), [
        { filter: { ...EVERY_EVENT, stream: 'none' }, text: true, packed: true },
      ])
      expect(page).toMatchObject({ parts: [null], written: { ids: [], seqs: [] }, next: 4 })
      await store.close()
    })

    test('one is found by its id, whatever seq is guessed', async () => {
      const store = await filled()
      const { id } = shot(4)
      for (const guess of [undefined, 4, 5, 999]) {
        expect((await store.findEvent(id, guess))?.seq).toBe(4)
      }
      expect(await store.findEvent('0'.repeat(64))).toBeNull()
      await store.close()
    })
  })

  describe(`${name}: streams`, () => {
    test('each has its latest shot, its count and its pace', async () => {
      const store = await filled()
      await store.append(shot(9))
      await store.append(shot(10, { OssObject: 'elsewhere' }, OTHER))
      const { streams, next } = await store.findStreams(streamQuery())
      expect(next).toBeNull()
      expect(streams.map(({ domain, stream }) => [domain, stream])).toEqual([
        [OTHER, 'even'],
        [DOMAIN, 'even'],
        [DOMAIN, 'odd'],
      ])
      expect(streams[2]).toEqual({
        domain: DOMAIN,
        app: 'live',
        stream: 'odd',
        latest: {
          id: shot(9).id,
          seq: 9,
          bucket: null,
          endpoint: null,
          object: 'o/9',
          capturedAt: NOW - 60_200,
          receivedAt: NOW - 60_000,
        },
        events: 5,
        firstSeenAt: NOW - 540_000,
        intervalMs: 120_000,
        seenAt: NOW - 60_000,
      })
      await store.close()
    })

    test('what names neither app nor stream is one stream of its domain', async () => {
      const store = await open()
      await store.append(shot(1, { AppName: '', StreamName: '' }))
      await store.append({ ...shot(2), id: 'a'.repeat(64), body: Buffer.from('no json') })
      const { streams } = await store.findStreams(streamQuery())
      expect(streams).toMatchObject([{ app: null, stream: null, events: 2, latest: { seq: 2 } }])
      await store.close()
    })

    test('a shot that comes late changes the count, and not the latest', async () => {
      const store = await open()
      await store.append(shot(8))
      await store.append(shot(2))
      const { streams } = await store.findStreams(streamQuery())
      expect(streams).toMatchObject([{ events: 2, latest: { seq: 1 }, firstSeenAt: NOW - 480_000 }])
      await store.close()
    })

    test.each<[string, Partial<StreamQuery>, (string | null)[]]>([
      ['by name', {}, ['even', 'odd']],
      ['the most recent first', { order: 'recent' }, ['even', 'odd']],
      ['the stalest first', { order: 'stalest' }, ['odd', 'even']],
      ['a part of a name, in any case', { q: 'VE/OD' }, ['odd']],
      ['a domain', { domain: OTHER }, []],
      ['an app', { app: 'other' }, []],
      ['live ones', { state: 'live' }, ['even', 'odd']],
      ['late ones', { state: 'late', now: NOW + 370_000 }, ['even', 'odd']],
      ['silent ones', { state: 'silent', now: NOW + 1_150_000 }, ['odd']],
    ])('%s', async (_, over, expected) => {
      const store = await filled()
      const { streams } = await store.findStreams(streamQuery(over))
      expect(streams.map(({ stream }) => stream)).toEqual(expected)
      await store.close()
    })

    test.each(['name', 'recent', 'stalest'] as const)('%s: pages hold each once', async (order) => {
      const store = await open()
      for (let n = 0; n < 7; n++) await store.append(shot(n, { StreamName: `s${n % 5}` }))
      const seen: (string | null)[] = []
      let after: StreamQuery['after'] = null
      do {
        const page: Awaited<ReturnType<Reading['findStreams']>> = await store.findStreams(
          streamQuery({ order, after, limit: 2 }),
        )
        seen.push(...page.streams.map(({ stream }) => stream))
        after = page.next
      } while (after !== null)
      expect(seen.toSorted()).toEqual(['s0', 's1', 's2', 's3', 's4'])
      await store.close()
    })
  })
}
