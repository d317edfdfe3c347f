// What any store must do for what it counts: cursors, receiving time, callbacks. See `store-contract.ts`.
import { describe, expect, it } from 'vitest'
import { eventOf } from '../support/store/store-events.ts'
import { DOMAIN, type NewPlace } from './places.ts'

export function tallyContract(name: string, newPlace: NewPlace): void {
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
}
