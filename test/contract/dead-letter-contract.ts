// What any store must do for dead letters. See `store-contract.ts`.
import { describe, expect, it } from 'vitest'
import { eventOf, range } from '../support/store/store-events.ts'
import { ALL_LETTERS, dead, type NewPlace } from './places.ts'

export function deadLetterContract(name: string, newPlace: NewPlace): void {
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
}
