// What any store must do for the event log. See `store-contract.ts`.
import { describe, expect, it } from 'vitest'
import { eventOf, range } from '../support/store/store-events.ts'
import type { NewPlace } from './places.ts'

export function eventLogContract(name: string, newPlace: NewPlace): void {
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
}
