// What any store must do for key rings. See `store-contract.ts`.
import { describe, expect, it } from 'vitest'
import { EMPTY_RING, type KeyId, type Ring } from '../../src/core/keys/key-ring.ts'
import { OTHER_SECRET, SECRET } from '../support/store/store-events.ts'
import { DOMAIN, type NewPlace } from './places.ts'

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

export function ringContract(name: string, newPlace: NewPlace): void {
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
}
