import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { OTHER_SECRET, SECRET } from '../../support/store/store-events.ts'

describe('createSeals', () => {
  it('opens what it sealed, and shows only which secret it takes', async () => {
    const seals = createSeals([SECRET])
    const jwe = await seals.seal('SetByHand0123456789')
    expect(decodeProtectedHeader(jwe)).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: SECRET.fingerprint,
    })
    expect(jwe).not.toContain('SetByHand')
    expect(await seals.open(jwe)).toBe('SetByHand0123456789')
  })

  it('seals under the first secret and opens with all', async () => {
    const old = createSeals([OTHER_SECRET])
    const renewed = createSeals([SECRET, OTHER_SECRET])
    expect(await renewed.open(await old.seal('key'))).toBe('key')
    expect(await old.open(await renewed.seal('key'))).toBeUndefined()
  })

  it('opens nothing that is damaged or not a seal', async () => {
    const seals = createSeals([SECRET])
    const jwe = await seals.seal('key')
    const [header, ...rest] = jwe.split('.')
    const other = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')
    for (const bad of ['', 'key', `${jwe}x`, [other, ...rest].join('.'), `${header}....`]) {
      expect(await seals.open(bad)).toBeUndefined()
    }
  })

  it('never seals the same text to the same seal', async () => {
    const seals = createSeals([SECRET])
    expect(await seals.seal('key')).not.toBe(await seals.seal('key'))
  })

  it('needs a secret', () => {
    expect(() => createSeals([])).toThrow(TypeError)
  })
})
