// Whoever looks into a store must not be able to tell which one it is: both are asked the same.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EVERY_EVENT } from '../../../src/core/events/event-filter.ts'
import type { NewEvent } from '../../../src/core/events/snapshot-event.ts'
import type { EventQuery, Reading, StreamQuery } from '../../../src/ports/reading.ts'
import type { Store } from '../../../src/ports/store.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { openShared } from '../../support/postgres/postgres-store.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { openStore, temporaryFolder } from '../../support/store/store-fixtures.ts'

const server = postgresForFile()
const COUNT = 3_000

/** Shots of some streams; every 97th is not understood, every 50th is of another domain. */
function shot(n: number): NewEvent {
  const body =
    n % 97 === 0
      ? 'not json'
      : JSON.stringify({
          AppName: `app${n % 3}`,
          StreamName: `Stream ${n % 7}${n % 11 === 0 ? 'é"' : ''}`,
          OssObject: `${n}.jpg`,
          CreateTimestamp: eventOf(n).occurredAt,
        })
  const domain = n % 50 === 0 ? 'other.example.com' : 'live.example.com'
  const origin = n % 40 === 0 ? 'audit' : 'callback'
  return eventOf(n, { body: Buffer.from(body), domain, origin: origin as NewEvent['origin'] })
}

async function both(): Promise<[Store & Reading, Store & Reading]> {
  const stores: [Store & Reading, Store & Reading] = [
    await openStore(join(temporaryFolder(), 's.db')),
    await openShared(server().newLocation()),
  ]
  for (const store of stores) {
    for (const from of range(COUNT / 500)) {
      await Promise.all(range(500).map((n) => store.append(shot(500 * from + n))))
    }
    while ((await store.fillStreams(700)).isMore);
    await store.prune({
      deliveredBefore: 0,
      anyBefore: eventOf(100).receivedAt,
      maxBytes: Number.MAX_SAFE_INTEGER,
      sinks: [],
      limit: 1_000,
      at: eventOf(COUNT).receivedAt,
    })
  }
  return stores
}

/** All pages of a query, each as the seqs it held. */
async function pages(store: Reading, query: EventQuery): Promise<number[]> {
  const seqs: number[] = []
  for (let after = query.after; ; ) {
    const page = await store.findEvents({ ...query, after })
    seqs.push(...page.events.map(({ seq }) => seq))
    expect(page.kept).toEqual({ first: 101, last: COUNT })
    if (page.next === null) return seqs
    after = page.next
  }
}

async function streams(store: Reading, query: StreamQuery) {
  const found = []
  for (let after = query.after; ; ) {
    const page = await store.findStreams({ ...query, after })
    found.push(...page.streams)
    if (page.next === null) return found
    after = page.next
  }
}

test('both stores answer alike, whatever is asked', async () => {
  const [sqlite, postgres] = await both()
  const all: EventQuery = { ...EVERY_EVENT, order: 'desc', after: null, limit: 100 }
  const queries: Partial<EventQuery>[] = [
    {},
    { order: 'asc', limit: 999 },
    { domain: 'other.example.com' },
    { origin: 'audit', order: 'asc', limit: 7 },
    { app: 'app1', stream: 'Stream 4' },
    { stream: 'Stream 3é"', limit: 3 },
    { flag: 'not_json' },
    { since: eventOf(500).receivedAt, until: eventOf(700).receivedAt },
    { after: 1_234 },
    { after: 1_234, order: 'asc', app: 'app2' },
    { domain: 'nobody' },
    { maxBytes: 500 },
  ]
  for (const query of queries) {
    const asked = { ...all, ...query }
    const found = await pages(postgres, asked)
    expect([query, found]).toEqual([query, await pages(sqlite, asked)])
  }
  const orders = ['name', 'recent', 'stalest'] as const
  const every = { domain: null, app: null, state: null, q: null, after: null }
  for (const order of orders) {
    for (const part of [{}, { app: 'app1' }, { q: 'STREAM 4' }, { state: 'late' as const }]) {
      const now = eventOf(COUNT).receivedAt + 31_000
      const asked: StreamQuery = { ...every, ...part, order, limit: 5, now }
      const found = await streams(postgres, asked)
      expect([order, part, found]).toEqual([order, part, await streams(sqlite, asked)])
    }
  }
  for (const seq of [1, 101, COUNT]) {
    const { id } = eventOf(seq - 1)
    const found = await postgres.findEvent(id)
    expect(found?.seq).toBe((await sqlite.findEvent(id))?.seq)
    expect((await postgres.findEvent(id, 3))?.seq).toBe(found?.seq)
  }
  expect(await postgres.findEvent('f'.repeat(64))).toBeNull()
})
