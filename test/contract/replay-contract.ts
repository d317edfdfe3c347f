// What any store must do for replays. See `store-contract.ts`.
import { describe, expect, it } from 'vitest'
import { eventOf, range } from '../support/store/store-events.ts'
import type { NewPlace } from './places.ts'

export function replayContract(name: string, newPlace: NewPlace): void {
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
}
