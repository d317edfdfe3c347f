import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/app/system-clock.ts'

describe('sleep', () => {
  test('lasts at least as long as asked', async () => {
    const begun = performance.now()
    await systemClock.sleep(20, AbortSignal.any([]))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(19)
  })

  test.each([0, -5])('is over at once for %i ms', async (ms) => {
    await systemClock.sleep(ms, AbortSignal.any([]))
  })

  test('longer than a timer can hold ends only with the signal', async () => {
    const stop = new AbortController()
    let over = false
    const sleeping = systemClock.sleep(90 * 86_400_000, stop.signal).then(() => {
      over = true
    })
    await systemClock.sleep(5, AbortSignal.any([]))
    expect(over).toBe(false)
    stop.abort()
    await sleeping
    await systemClock.sleep(1_000_000, stop.signal)
  })
})
