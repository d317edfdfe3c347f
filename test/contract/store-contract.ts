// What any store must do, whatever it is made of, subject by subject. `newPlace` makes an empty place
// of the test's own and returns a function that opens the store there, as often as it is called; what
// it opens is closed when the test ends.
import { describe, expect, it } from 'vitest'
import { eventOf, range } from '../support/store/store-events.ts'
import { auditContract } from './audit-contract.ts'
import { deadLetterContract } from './dead-letter-contract.ts'
import { eventLogContract } from './event-log-contract.ts'
import type { NewPlace } from './places.ts'
import { replayContract } from './replay-contract.ts'
import { retentionContract } from './retention-contract.ts'
import { ringContract } from './ring-contract.ts'
import { tallyContract } from './tally-contract.ts'

export function storeContract(name: string, newPlace: NewPlace): void {
  eventLogContract(name, newPlace)
  ringContract(name, newPlace)
  tallyContract(name, newPlace)
  deadLetterContract(name, newPlace)
  replayContract(name, newPlace)
  retentionContract(name, newPlace)

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
