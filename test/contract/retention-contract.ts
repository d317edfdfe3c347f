// What any store must do for retention. See `store-contract.ts`.
import { describe, expect, it } from 'vitest'
import type { PruneStep } from '../../src/ports/retention.ts'
import type { Store } from '../../src/ports/store.ts'
import { eventOf, range } from '../support/store/store-events.ts'
import { dead, type NewPlace } from './places.ts'

export function retentionContract(name: string, newPlace: NewPlace): void {
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
}
