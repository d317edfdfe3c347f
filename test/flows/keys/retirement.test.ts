// When a key that is not in force any more is forgotten.
import { describe, expect, test } from 'vitest'
import { manualClock } from '../../support/flows/manual-clock.ts'
import {
  DOMAIN,
  FOREIGN,
  GRACE_SECONDS,
  INTERVAL_MS,
  keyAt,
  OUR_URL,
  registration,
} from '../register/registration-fixture.ts'

const DAY = 24 * 3_600_000

describe('retirement', () => {
  async function withForeignSuperseded() {
    const it = await registration()
    it.set(OUR_URL, FOREIGN)
    await it.start()
    it.registrar.rotate(DOMAIN)
    await it.clock.advance(INTERVAL_MS)
    return it
  }

  test('a superseded key goes after the grace time of receiving, unused', async () => {
    await using it = await withForeignSuperseded()
    await it.clock.advance((GRACE_SECONDS - 600) * 1_000)
    expect(it.accepts(FOREIGN)).toBe(true)
    await it.clock.advance(900_000)
    expect(it.accepts(FOREIGN)).toBe(false)
  })

  test('forgets no generation: from a foreign key on, the next is one that was never in force', async () => {
    const clock = manualClock(undefined, 1)
    await using it = await registration({ clock, alone: true })
    it.set(OUR_URL, keyAt(5))
    await it.start()
    it.set(OUR_URL, FOREIGN)
    await clock.advance(2 * GRACE_SECONDS * 1_000)
    expect(it.accepts(keyAt(5))).toBe(true)
    it.registrar.rotate(DOMAIN)
    await clock.advance(INTERVAL_MS)
    expect(it.configured()).toMatchObject({ key: keyAt(6) })
  })

  test('a key in use stays, and a downtime retires nothing', async () => {
    const before = await withForeignSuperseded()
    await before[Symbol.asyncDispose]()
    await before.clock.advance(3 * DAY)
    const { store, provider, clock } = before
    await using it = await registration({ store, provider, clock })
    await it.start()
    await clock.advance(5 * 60_000)
    expect(it.accepts(FOREIGN)).toBe(true)
  })
})
