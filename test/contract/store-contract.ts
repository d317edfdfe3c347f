// What any store must do, whatever it is made of. `newPlace` makes an empty place of the test's own
// and returns a function that opens the store there, as often as it is called; what it opens is
// closed when the test ends.
import { describe, expect, it } from 'vitest'
import { EMPTY_RING, type KeyId, type Ring } from '../../src/core/keys/key-ring.ts'
import type { Secret } from '../../src/core/keys/notify-key.ts'
import type { DeadLetterQuery } from '../../src/ports/dead-letters.ts'
import type { PruneStep } from '../../src/ports/retention.ts'
import type { Store } from '../../src/ports/store.ts'
import { eventOf, OTHER_SECRET, range, SECRET } from '../support/store-events.ts'
import { auditContract } from './audit-contract.ts'

type OpenStore = (secrets?: readonly Secret[]) => Promise<Store>

const DOMAIN = 'live.example.com'
const FOREIGN: KeyId = { kind: 'foreign', key: 'SetByHand0123456789' }
const DERIVED: KeyId = { kind: 'derived', secret: SECRET.fingerprint, generation: 3 }
const RING: Ring = {
  ...EMPTY_RING,
  current: FOREIGN,
  keys: [
    { id: FOREIGN, seenAt: 1_700_000_000_000, usedAt: 20.5 },
    { id: DERIVED, seenAt: 1_600_000_000_000, usedAt: 10 },
  ],
  confirmedUrl: 'https://hooks.example.com/callbacks/live.example.com',
  formerUrls: ['https://old.example.com/callbacks/live.example.com'],
  released: true,
}

const ALL_LETTERS: DeadLetterQuery = { sink: null, limit: 100 }

async function dead(store: Store, query = ALL_LETTERS): Promise<string[]> {
  return (await store.readDeadLetters(query)).map(({ sink, event }) => `${sink} ${event.seq}`)
}

export function storeContract(name: string, newPlace: () => OpenStore): void {
  describe(`${name}: the event log`, () => {
    it('gives back what was appended, byte for byte and in order', async () => {
      const store = await newPlace()()
      const events = [
        eventOf(3),
        eventOf(1, { body: new Uint8Array([0, 255, 10, 0]) }),
        eventOf(2, { body: new Uint8Array(0), domain: 'other.example.com' }),
        eventOf(4, { id: 'f0'.repeat(32), body: Buffer.from('a view of a pool') }),
      ]
      for (const event of events) await store.append(event)
      const stored = await store.read(0, 100)
      expect(stored.map(({ body }) => [...body])).toEqual(events.map(({ body }) => [...body]))
      expect(stored).toMatchObject(
        events.map(({ body: _, ...rest }, index) => ({ ...rest, seq: index + 1 })),
      )
    })

    it('reads after a seq, up to a limit', async () => {
      const store = await newPlace()()
      await Promise.all(range(10).map((n) => store.append(eventOf(n))))
      expect((await store.read(3, 4)).map(({ seq }) => seq)).toEqual([4, 5, 6, 7])
      expect(await store.read(10, 4)).toEqual([])
    })

    it('reads bodies of so many bytes, and one event at least', async () => {
      const store = await newPlace()()
      for (const [n, size] of [100, 50, 60, 300, 1, 1].entries()) {
        await store.append(eventOf(n, { body: new Uint8Array(size) }))
      }
      const read = async (after: number, limit: number) =>
        (await store.read(after, limit, 150)).map(({ seq }) => seq)
      expect(await read(0, 100)).toEqual([1, 2])
      expect(await read(0, 1)).toEqual([1])
      expect(await read(2, 100)).toEqual([3])
      expect(await read(3, 100)).toEqual([4])
      expect(await read(4, 100)).toEqual([5, 6])
    })

    it('answers concurrent appends in the order they were made', async () => {
      const store = await newPlace()()
      const answers = await Promise.all(range(300).map((n) => store.append(eventOf(n))))
      expect(answers.map(({ seq }) => seq)).toEqual(range(300).map((n) => n + 1))
      const ids = (await store.read(0, 300)).map(({ id }) => id)
      expect(ids).toEqual(range(300).map((n) => eventOf(n).id))
    })

    it('knows a duplicate by its identity, and answers with the seq of the first', async () => {
      const store = await newPlace()()
      expect(await store.append(eventOf(1))).toEqual({ seq: 1, duplicate: false })
      const again = eventOf(1, { receivedAt: 1_800_000_000_000 })
      expect(await store.append(again)).toEqual({ seq: 1, duplicate: true })
      expect(await store.append(eventOf(2))).toEqual({ seq: 2, duplicate: false })
      expect(await store.stats()).toMatchObject({ events: 2, lastSeq: 2 })
    })

    it('keeps one of two equal events that come at the same moment', async () => {
      const store = await newPlace()()
      const answers = await Promise.all([store.append(eventOf(1)), store.append(eventOf(1))])
      expect(answers).toEqual([
        { seq: 1, duplicate: false },
        { seq: 1, duplicate: true },
      ])
    })

    it('keeps two events of one moment that differ in identity', async () => {
      const store = await newPlace()()
      await store.append(eventOf(1))
      const answer = await store.append(eventOf(2, { occurredAt: eventOf(1).occurredAt }))
      expect(answer).toEqual({ seq: 2, duplicate: false })
    })

    it('refuses a malformed event and keeps its neighbours', async () => {
      const store = await newPlace()()
      const answers = await Promise.allSettled([
        store.append(eventOf(1)),
        store.append(eventOf(2, { id: 'not hex' })),
        store.append(eventOf(3)),
      ])
      expect(answers).toMatchObject([
        { value: { duplicate: false } },
        { reason: { name: 'ServiceError', code: 'store_failed' } },
        { value: { duplicate: false } },
      ])
    })

    it('counts, and goes on counting after it was opened again', async () => {
      const open = newPlace()
      const first = await open()
      expect(await first.stats()).toMatchObject({ events: 0, lastSeq: 0 })
      await Promise.all(range(5).map((n) => first.append(eventOf(n))))
      await first.close()
      const second = await open()
      expect(await second.stats()).toMatchObject({ events: 5, lastSeq: 5 })
      expect(await second.append(eventOf(4))).toEqual({ seq: 5, duplicate: true })
      expect(await second.append(eventOf(5))).toEqual({ seq: 6, duplicate: false })
    })
  })

  describe(`${name}: key rings`, () => {
    it('has no ring of a domain at first, and later what was saved', async () => {
      const store = await newPlace()()
      expect(await store.loadRing(DOMAIN)).toBeNull()
      expect(await store.saveRing(DOMAIN, RING, 0)).toBe(1)
      expect(await store.loadRing(DOMAIN)).toEqual({ ring: RING, revision: 1 })
      expect(await store.saveRing(DOMAIN, EMPTY_RING, 1)).toBe(2)
      expect(await store.loadRing(DOMAIN)).toEqual({ ring: EMPTY_RING, revision: 2 })
      expect(await store.loadRing('other.example.com')).toBeNull()
    })

    it('saves nothing over a revision that its writer has not seen', async () => {
      const store = await newPlace()()
      await store.saveRing(DOMAIN, RING, 0)
      expect(await store.saveRing(DOMAIN, EMPTY_RING, 0)).toBeNull()
      expect(await store.saveRing(DOMAIN, EMPTY_RING, 2)).toBeNull()
      expect(await store.loadRing(DOMAIN)).toEqual({ ring: RING, revision: 1 })
    })

    it('lets one of several writers win', async () => {
      const open = newPlace()
      const stores = await Promise.all([open(), open(), open()])
      const answers = await Promise.all(stores.map((store) => store.saveRing(DOMAIN, RING, 0)))
      expect(answers.toSorted()).toEqual([1, null, null])
    })

    it('shows the others that a ring was saved', async () => {
      const open = newPlace()
      const [one, other] = await Promise.all([open(), open()])
      const before = await one.ringsVersion()
      await other.saveRing(DOMAIN, RING, 0)
      const created = await one.ringsVersion()
      expect(created).toBeGreaterThan(before)
      await other.saveRing(DOMAIN, EMPTY_RING, 1)
      expect(await one.ringsVersion()).toBeGreaterThan(created)
      expect(await one.loadRing(DOMAIN)).toEqual({ ring: EMPTY_RING, revision: 2 })
    })

    it('opens a foreign key with any of its secrets, and leaves out what none opens', async () => {
      const open = newPlace()
      await (await open([SECRET])).saveRing(DOMAIN, RING, 0)
      const renewed = await open([OTHER_SECRET, SECRET])
      expect((await renewed.loadRing(DOMAIN))?.ring).toEqual(RING)
      const stranger = await open([OTHER_SECRET])
      expect((await stranger.loadRing(DOMAIN))?.ring).toEqual({
        ...RING,
        current: null,
        keys: RING.keys.filter(({ id }) => id.kind === 'derived'),
      })
    })
  })

  describe(`${name}: cursors and receiving time`, () => {
    it('moves the cursor of a sink forward and never back', async () => {
      const open = newPlace()
      const store = await open()
      expect(await store.loadCursor('stdout')).toBe(0)
      await store.advanceCursor('stdout', 7)
      await store.advanceCursor('stdout', 5)
      await store.advanceCursor('hook', 2)
      await store.close()
      const reopened = await open()
      expect(await reopened.loadCursor('stdout')).toBe(7)
      expect(await reopened.loadCursor('hook')).toBe(2)
      expect(await reopened.listCursors()).toEqual([
        { sink: 'hook', seq: 2 },
        { sink: 'stdout', seq: 7 },
      ])
    })

    it('adds up the receiving time of all that ran', async () => {
      const open = newPlace()
      const store = await open()
      expect(await store.loadReceivingTime()).toBe(0)
      await Promise.all([store.addReceivingTime(1.5), store.addReceivingTime(60)])
      await store.close()
      const reopened = await open()
      await reopened.addReceivingTime(1)
      expect(await reopened.loadReceivingTime()).toBe(62.5)
    })
  })

  describe(`${name}: tallies`, () => {
    it('knows when the last callback of a domain came, duplicates included', async () => {
      const open = newPlace()
      const store = await open()
      expect(await store.loadTally(DOMAIN)).toEqual({ lastCallbackAt: null, unsigned: 0 })
      const other = 'other.example.com'
      await Promise.all([
        store.append(eventOf(1, { domain: DOMAIN, receivedAt: 1_000 })),
        store.append(eventOf(2, { domain: DOMAIN, receivedAt: 3_000 })),
        store.append(eventOf(3, { domain: DOMAIN, receivedAt: 2_000 })),
        store.append(eventOf(4, { domain: other, receivedAt: 500 })),
      ])
      await store.close()
      const reopened = await open()
      expect(await reopened.loadTally(DOMAIN)).toEqual({ lastCallbackAt: 3_000, unsigned: 0 })
      await reopened.append(eventOf(1, { domain: DOMAIN, receivedAt: 4_000 }))
      expect((await reopened.loadTally(DOMAIN)).lastCallbackAt).toBe(4_000)
      expect((await reopened.loadTally(other)).lastCallbackAt).toBe(500)
    })

    it('adds up unsigned callbacks, beside the time of the last signed one', async () => {
      const open = newPlace()
      const store = await open()
      await store.addUnsigned(DOMAIN, 3)
      await store.append(eventOf(1, { domain: DOMAIN, receivedAt: 7 }))
      await store.close()
      const reopened = await open()
      await reopened.addUnsigned(DOMAIN, 4)
      expect(await reopened.loadTally(DOMAIN)).toEqual({ lastCallbackAt: 7, unsigned: 7 })
    })
  })

  describe(`${name}: dead letters`, () => {
    const rejectedOf = (n: number, parts = {}) => ({
      event: { ...eventOf(n), seq: n },
      reason: 'answered 400',
      attempts: 1,
      ...parts,
    })
    it('keeps what a sink rejected, byte for byte, though the log may lose it', async () => {
      const open = newPlace()
      const store = await open()
      const pool = Buffer.from('before \0 after')
      const event = { ...eventOf(7, { body: pool.subarray(7, 8) }), seq: 7 }
      await store.advanceCursor('hook', 9, [{ event, reason: 'answered 422', attempts: 3 }])
      await store.close()
      const reopened = await open()
      expect(await reopened.loadCursor('hook')).toBe(9)
      const [letter, ...more] = await reopened.readDeadLetters(ALL_LETTERS)
      expect(more).toEqual([])
      expect(letter).toMatchObject({
        sink: 'hook',
        reason: 'answered 422',
        attempts: 3,
        diedAt: expect.any(Number),
        retryRequested: false,
      })
      expect({ ...letter?.event, body: [...(letter?.event.body ?? [])] }).toEqual({
        ...event,
        body: [0],
      })
    })

    it('moves the cursor and keeps the letters, or neither', async () => {
      const store = await newPlace()()
      const malformed = rejectedOf(2)
      malformed.event.id = 'not hex'
      const advanced = store.advanceCursor('hook', 2, [rejectedOf(1), malformed])
      await expect(advanced).rejects.toMatchObject({ code: 'store_failed' })
      expect(await store.loadCursor('hook')).toBe(0)
      expect(await dead(store)).toEqual([])
      expect(await store.countDeadLetters()).toEqual(new Map())
      await store.advanceCursor('hook', 1, [rejectedOf(1)])
      expect(await dead(store)).toEqual(['hook 1'])
    })

    it('reads and counts them by sink, once for each event', async () => {
      const store = await newPlace()()
      await store.advanceCursor('hook', 2, [rejectedOf(1), rejectedOf(2)])
      await store.advanceCursor('other', 1, [rejectedOf(1)])
      await store.advanceCursor('hook', 2, [rejectedOf(2, { reason: 'answered 413' })])
      expect(await dead(store)).toEqual(['hook 1', 'hook 2', 'other 1'])
      expect(await dead(store, { sink: 'hook', limit: 1 })).toEqual(['hook 1'])
      const [, second] = await store.readDeadLetters({ sink: 'hook', limit: 2 })
      expect(second?.reason).toBe('answered 413')
      expect(await dead(store, { sink: 'hook', after: 1, limit: 9 })).toEqual(['hook 2'])
      const counts = await store.countDeadLetters()
      expect([counts.get('hook'), counts.get('other')]).toEqual([2, 1])
    })

    it('marks some or all of them to be tried again, for whoever has the store open', async () => {
      const open = newPlace()
      const [service, command] = await Promise.all([open(), open()])
      await service.advanceCursor(
        'hook',
        3,
        [1, 2, 3].map((n) => rejectedOf(n)),
      )
      await service.advanceCursor('other', 1, [rejectedOf(1)])
      const requested = () => dead(service, { ...ALL_LETTERS, sink: 'hook', retryRequested: true })
      const change = { kind: 'request_retry', sink: 'hook' } as const
      expect(await command.changeDeadLetters({ ...change, seqs: [3, 1, 9] })).toBe(2)
      expect(await command.changeDeadLetters({ ...change, seqs: [3, 1, 9] })).toBe(0)
      expect(await requested()).toEqual(['hook 1', 'hook 3'])
      expect(await command.changeDeadLetters({ ...change, sink: null, seqs: null })).toBe(2)
      expect(await requested()).toEqual(['hook 1', 'hook 2', 'hook 3'])
    })

    it('keeps one that failed again, with the new reason and all its attempts', async () => {
      const store = await newPlace()()
      await store.advanceCursor('hook', 1, [rejectedOf(1, { attempts: 10 })])
      await store.changeDeadLetters({ kind: 'request_retry', sink: null, seqs: null })
      const again = { kind: 'failed_again', sink: 'hook', seq: 1 } as const
      await store.changeDeadLetters({ ...again, reason: 'answered 415', attempts: 2 })
      expect(await store.readDeadLetters(ALL_LETTERS)).toMatchObject([
        { reason: 'answered 415', attempts: 12, retryRequested: false },
      ])
    })

    it('drops some, those of a sink, or all', async () => {
      const store = await newPlace()()
      await store.advanceCursor(
        'hook',
        3,
        [1, 2, 3].map((n) => rejectedOf(n)),
      )
      await store.advanceCursor('other', 1, [rejectedOf(1)])
      const drop = { kind: 'drop', sink: 'hook' } as const
      expect(await store.changeDeadLetters({ ...drop, seqs: [2] })).toBe(1)
      expect(await dead(store)).toEqual(['hook 1', 'hook 3', 'other 1'])
      expect(await store.changeDeadLetters({ ...drop, seqs: null })).toBe(2)
      expect(await dead(store)).toEqual(['other 1'])
      expect(await store.changeDeadLetters({ kind: 'drop', sink: null, seqs: null })).toBe(1)
      const counts = await store.countDeadLetters()
      expect([counts.get('hook'), counts.get('other')]).toEqual([0, 0])
      expect(await store.loadCursor('hook')).toBe(3)
    })

    it('changes a very large number of them in slices', async () => {
      const store = await newPlace()()
      await store.advanceCursor(
        'hook',
        1_500,
        range(1_500).map((n) => rejectedOf(n + 1)),
      )
      const drop = () => store.changeDeadLetters({ kind: 'drop', sink: 'hook', seqs: null })
      expect(await drop()).toBeLessThan(1_500)
      while ((await drop()) > 0);
      expect((await store.countDeadLetters()).get('hook')).toBe(0)
    })
  })

  describe(`${name}: replays`, () => {
    const request = { sink: 'hook', since: 5, until: null, domain: 'd', stream: null }
    const progress = { delivered: 2, rejected: 1, isEnd: false }

    it('are worked off one after the other, for each sink', async () => {
      const open = newPlace()
      const [service, command] = await Promise.all([open(), open()])
      for (const n of range(3)) await service.append(eventOf(n))
      expect(await service.nextReplay('hook')).toBeNull()
      await service.advanceCursor('hook', 2)
      const first = await command.requestReplay(request)
      const second = await command.requestReplay({ ...request, since: null })
      expect(await service.nextReplay('other')).toBeNull()
      const asked = { ...request, id: first, lastSeq: 2, lookedUpTo: 0, delivered: 0, rejected: 0 }
      expect(await service.nextReplay('hook')).toMatchObject({ ...asked, endedAt: null })
      await service.advanceReplay({ ...progress, id: first, seq: 1 })
      await service.advanceReplay({ ...progress, id: first, seq: 2, isEnd: true })
      expect(await service.nextReplay('hook')).toMatchObject({ id: second, since: null })
      expect(await command.listReplays()).toMatchObject([
        { id: second, cancelled: false, endedAt: null },
        { id: first, lookedUpTo: 2, delivered: 4, rejected: 2, endedAt: expect.any(Number) },
      ])
    })

    it('are called off, and what is noted of them afterwards changes nothing', async () => {
      const store = await newPlace()()
      const id = await store.requestReplay(request)
      expect(await store.cancelReplay(id)).toBe(true)
      expect(await store.cancelReplay(id)).toBe(false)
      await store.advanceReplay({ ...progress, id, seq: 9, isEnd: true })
      expect(await store.nextReplay('hook')).toBeNull()
      expect(await store.listReplays()).toMatchObject([{ cancelled: true, delivered: 0 }])
    })
  })

  describe(`${name}: retention`, () => {
    /** Nothing goes by itself: each test says what may. */
    const step: PruneStep = {
      deliveredBefore: 0,
      anyBefore: 0,
      maxBytes: Number.MAX_SAFE_INTEGER,
      sinks: ['hook'],
      limit: 100,
      at: 1_700_000_100_000,
    }
    const receivedAt = (n: number) => eventOf(n).receivedAt
    const usage = (store: Store) => store.prune(step)
    const seqs = async (store: Store) => (await store.read(0, 100)).map(({ seq }) => seq)
    async function filled(count: number, late: readonly number[] = []): Promise<Store> {
      const store = await newPlace()()
      // The nth event has seq n + 1; some were received while the clock was a day ahead.
      const ahead = 86_400_000
      const time = (n: number) => receivedAt(n) + (late.includes(n) ? ahead : 0)
      for (const n of range(count)) await store.append(eventOf(n, { receivedAt: time(n) }))
      return store
    }

    it('removes what is old and delivered to all sinks that are named, and no others', async () => {
      const store = await filled(6)
      await store.advanceCursor('hook', 4)
      await store.advanceCursor('other', 2)
      await store.advanceCursor('removed', 1)
      const both = { ...step, sinks: ['hook', 'other'], deliveredBefore: receivedAt(5) }
      const missing = [{ sink: 'removed', count: 1, toSeq: 2 }]
      expect(await store.prune(both)).toMatchObject({ removed: 2, expired: missing })
      expect(await seqs(store)).toEqual([3, 4, 5, 6])
      await store.advanceCursor('other', 6)
      expect(await store.prune({ ...both, deliveredBefore: receivedAt(3) })).toMatchObject({
        removed: 1,
      })
      expect(await seqs(store)).toEqual([4, 5, 6])
      expect(await store.prune({ ...both, sinks: [] })).toMatchObject({ removed: 2 })
      expect(await store.stats()).toMatchObject({ events: 1, lastSeq: 6 })
      // Nobody waits for the one that was taken out; put back, it is told what it missed.
      const missed = { sink: 'removed', fromSeq: 2, toSeq: 5, count: 4 }
      expect(await store.readExpired('removed')).toMatchObject([missed])
      expect(await store.loadCursor('removed')).toBe(5)
    })

    it('removes so many events in one step, and goes on in the next', async () => {
      const store = await filled(5)
      const all = { ...step, sinks: [], deliveredBefore: receivedAt(9), limit: 2 }
      for (const removed of [2, 2, 1, 0]) {
        const isMore = removed === 2
        expect(await store.prune(all)).toMatchObject({
          removed,
          isMore,
          seconds: expect.any(Number),
        })
      }
    })

    it('removes few large events in one step, so that it is short', async () => {
      const store = await newPlace()()
      const body = new Uint8Array(60_000)
      await Promise.all(range(100).map((n) => store.append(eventOf(n, { body }))))
      const all = { ...step, sinks: [], deliveredBefore: receivedAt(999) }
      const { removed, isMore } = await store.prune(all)
      expect(removed).toBeGreaterThan(50)
      expect(removed).toBeLessThan(80)
      expect(isMore).toBe(true)
      expect(await store.prune(all)).toMatchObject({ removed: 100 - removed, isMore: false })
    })

    it('does not keep what is delivered for a time of receipt that is ahead', async () => {
      const store = await filled(5, [0, 1, 2])
      await store.advanceCursor('hook', 3)
      const later = { ...step, at: receivedAt(0), deliveredBefore: receivedAt(0) - 1 }
      expect(await store.prune(later)).toMatchObject({ removed: 3, expired: [] })
      expect(await seqs(store)).toEqual([4, 5])
    })

    it('keeps a bounded number of ranges, and counts all that is gone', async () => {
      const store = await newPlace()()
      await Promise.all(range(450).map((n) => store.append(eventOf(n))))
      for (let seq = 1; seq < 450; seq += 2) {
        await store.advanceCursor('hook', seq)
        await store.prune({ ...step, anyBefore: receivedAt(seq + 1) })
      }
      const ranges = await store.readExpired('hook')
      expect(ranges.length).toBeLessThanOrEqual(100)
      expect(ranges.reduce((sum, { count }) => sum + count, 0)).toBe(225)
      expect(ranges.at(-1)?.toSeq).toBe(450)
    })

    it('removes what is too old also where a sink lacks it: one range, that goes on', async () => {
      const store = await filled(9)
      await store.advanceCursor('hook', 2)
      await store.advanceCursor('done', 9)
      const sinks = ['hook', 'done']
      const older = (n: number) => ({ ...step, sinks, anyBefore: receivedAt(n) })
      expect(await store.prune(older(3))).toMatchObject({
        removed: 3,
        expired: [{ sink: 'hook', count: 1, toSeq: 3 }],
      })
      expect(await store.loadCursor('hook')).toBe(3)
      await store.prune(older(5))
      const first = { sink: 'hook', reason: 'expired', fromSeq: 3, toSeq: 5, count: 3 }
      expect(await store.readExpired(null)).toMatchObject([{ ...first, expiredAt: step.at }])
      await store.advanceCursor('hook', 7)
      await store.prune(older(8))
      expect(await store.readExpired('hook')).toMatchObject([
        first,
        { fromSeq: 8, toSeq: 8, count: 1 },
      ])
      expect(await store.readExpired('done')).toEqual([])
      expect(await store.loadCursor('done')).toBe(9)
      expect(await store.dropExpired('done')).toBe(0)
      expect(await store.dropExpired(null)).toBe(2)
      expect(await store.readExpired(null)).toEqual([])
    })

    it('removes the oldest where there is no room, whatever their age, and no more than it must', async () => {
      const store = await newPlace()()
      const body = new Uint8Array(10_000)
      for (const n of range(50)) await store.append(eventOf(n, { body }))
      await store.advanceCursor('hook', 5)
      const { usedBytes } = await usage(store)
      const maxBytes = usedBytes - 20 * body.length
      const { removed, expired } = await store.prune({ ...step, maxBytes })
      expect(removed).toBeGreaterThan(15)
      expect(removed).toBeLessThan(25)
      expect(expired).toEqual([{ sink: 'hook', count: removed - 5, toSeq: removed }])
      expect((await usage(store)).usedBytes).toBeLessThan(maxBytes + 2 * body.length)
      expect(await store.prune({ ...step, maxBytes: 1, limit: 3 })).toMatchObject({ removed: 3 })
    })

    it('takes no time at its word that others contradict', async () => {
      const store = await filled(4, [1])
      const old = { ...step, deliveredBefore: receivedAt(3), anyBefore: receivedAt(3) }
      expect(await store.prune(old)).toMatchObject({ removed: 1 })
      expect(await seqs(store)).toEqual([2, 3, 4])
      await store.advanceCursor('hook', 3)
      expect(await store.prune({ ...old, anyBefore: 0 })).toMatchObject({ removed: 2 })
      expect(await seqs(store)).toEqual([4])
    })

    it('gives the room back to what comes next', async () => {
      const store = await newPlace()()
      const body = new Uint8Array(10_000)
      const round = async (n: number) => {
        for (const each of range(20)) await store.append(eventOf(100 * n + each, { body }))
        const { usedBytes } = await usage(store)
        await store.prune({ ...step, sinks: [], deliveredBefore: receivedAt(10_000) })
        return usedBytes
      }
      const first = await round(1)
      expect(first).toBeGreaterThan(20 * body.length)
      expect((await usage(store)).usedBytes).toBeLessThan(first - 15 * body.length)
      for (const n of [2, 3]) expect(await round(n)).toBeLessThan(1.1 * first)
    })

    it('knows what dead letters take, and removes the oldest of them', async () => {
      const store = await newPlace()()
      const body = new Uint8Array(8_000)
      const rejected = range(3).map((n) => ({
        event: { ...eventOf(n, { body }), seq: n + 1 },
        reason: 'answered 422',
        attempts: 1,
      }))
      await store.advanceCursor('hook', 3, rejected)
      for (const n of range(3)) await store.append(eventOf(n, { body: new Uint8Array(20_000) }))
      const { usedBytes } = await usage(store)
      const tight = { ...step, sinks: [], maxBytes: 20_000 }
      expect(usedBytes).toBeGreaterThan(tight.maxBytes)
      expect(await store.prune(tight)).toMatchObject({ removed: 0, isCrowded: true })
      expect(await store.pruneLetters(2)).toMatchObject({ removed: 2, seconds: expect.any(Number) })
      expect(await dead(store)).toEqual(['hook 3'])
      expect(await store.readExpired('hook')).toMatchObject([
        { reason: 'letters_expired', fromSeq: 1, toSeq: 2, count: 2 },
      ])
      expect(await store.prune(tight)).toMatchObject({ removed: 3, isCrowded: false })
      expect(await store.pruneLetters(2)).toMatchObject({ removed: 1 })
      expect(await store.pruneLetters(2)).toMatchObject({ removed: 0 })
    })
  })

  describe(`${name}: being open and closed`, () => {
    it('is writable without having changed', async () => {
      const store = await newPlace()()
      await Promise.all([store.checkWritable(), store.checkWritable()])
      expect(await store.stats()).toMatchObject({ events: 0, lastSeq: 0 })
    })

    it('ends what it has taken, takes nothing more, and closes once', async () => {
      const open = newPlace()
      const store = await open()
      const appended = Promise.all(range(50).map((n) => store.append(eventOf(n))))
      const cursor = store.advanceCursor('stdout', 3)
      await Promise.all([store.close(), store.close()])
      expect(await appended).toHaveLength(50)
      await cursor
      const late = [
        store.append(eventOf(51)),
        store.read(0, 1),
        store.advanceCursor('stdout', 4),
        store.checkWritable(),
      ]
      for (const call of late) await expect(call).rejects.toMatchObject({ code: 'store_failed' })
      await store.close()
      expect(await (await open()).stats()).toMatchObject({ events: 50, lastSeq: 50 })
    })
  })

  auditContract(name, newPlace)
}
