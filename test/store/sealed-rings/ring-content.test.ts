import { describe, expect, it } from 'vitest'
import { EMPTY_RING, type KeyId, type Ring } from '../../../src/core/keys/key-ring.ts'
import { secretFrom } from '../../../src/core/keys/notify-key.ts'
import { decodeRing, encodeRing } from '../../../src/store/sealed-rings/ring-content.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { SECRET } from '../../support/store/store-events.ts'

const DOMAIN = 'play.example.com'
const seals = createSeals([SECRET])
const FOREIGN: KeyId = { kind: 'foreign', key: 'SetByHand0123456789' }
const DERIVED: KeyId = { kind: 'derived', secret: SECRET.fingerprint, generation: 0 }
const RING: Ring = {
  ...EMPTY_RING,
  current: FOREIGN,
  keys: [
    { id: FOREIGN, seenAt: 1, usedAt: 2 },
    { id: DERIVED, seenAt: 3, usedAt: 4 },
  ],
}

describe('a stored ring', () => {
  it('has foreign keys sealed wherever they are', async () => {
    const content = await encodeRing(DOMAIN, RING, undefined, seals)
    expect(content).not.toContain('SetByHand')
    expect(JSON.parse(content)).toEqual({
      ...EMPTY_RING,
      current: { kind: 'foreign', sealed: expect.any(String) },
      keys: [
        { id: { kind: 'foreign', sealed: expect.any(String) }, seenAt: 1, usedAt: 2 },
        { id: DERIVED, seenAt: 3, usedAt: 4 },
      ],
    })
    expect(await decodeRing(DOMAIN, content, seals)).toEqual(RING)
  })

  it('keeps what a later version added, to the ring and to its keys', async () => {
    const stored = JSON.parse(await encodeRing(DOMAIN, RING, undefined, seals))
    stored.later = { of: 'use' }
    for (const key of stored.keys) key.note = key.id.kind
    const saved = await encodeRing(
      DOMAIN,
      { ...RING, current: DERIVED, released: true },
      JSON.stringify(stored),
      seals,
    )
    expect(JSON.parse(saved)).toMatchObject({
      current: DERIVED,
      released: true,
      later: { of: 'use' },
      keys: [{ note: 'foreign' }, { note: 'derived' }],
    })
  })

  it('keeps a key that no secret opens: a start with the wrong one loses none', async () => {
    const content = await encodeRing(DOMAIN, RING, undefined, seals)
    const others = createSeals([secretFrom(new Uint8Array(32).fill(77))])
    expect((await decodeRing(DOMAIN, content, others)).keys).toEqual([RING.keys[1]])
    const saved = await encodeRing(DOMAIN, { ...RING, current: null, keys: [] }, content, others)
    expect((await decodeRing(DOMAIN, saved, seals)).keys).toEqual([RING.keys[0]])
  })

  it.each([
    ['nothing', {}],
    ['fields of other kinds', { current: 7, keys: {}, formerUrls: 'x', confirmedUrl: 1 }],
    ['no object', []],
    ['null', null],
    ['keys of a later kind', { current: { kind: 'later' }, keys: [{ id: { kind: 'later' } }, 4] }],
    ['a foreign key without its seal', { current: { kind: 'foreign' } }],
    ['a foreign key that was not sealed', { current: FOREIGN }],
    ['a derived key without its generation', { current: { kind: 'derived', secret: 'x' } }],
  ])('is empty where it holds %s', async (_, stored) => {
    expect(await decodeRing(DOMAIN, JSON.stringify(stored), seals)).toEqual(EMPTY_RING)
  })

  it('gives times that are missing as 0', async () => {
    const ring = await decodeRing(DOMAIN, JSON.stringify({ keys: [{ id: DERIVED }] }), seals)
    expect(ring.keys).toEqual([{ id: DERIVED, seenAt: 0, usedAt: 0 }])
  })

  it('is damaged where it is not JSON, and says of which domain and what to do', async () => {
    await expect(decodeRing(DOMAIN, '{', seals)).rejects.toMatchObject({
      code: 'ring_damaged',
      message: expect.stringMatching(/^The key ring of play.example.com .* restore the store/),
    })
  })
})
