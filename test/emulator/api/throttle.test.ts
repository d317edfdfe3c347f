import { expect, test } from 'vitest'
import { createThrottle } from '../../../src/emulator/api/throttle.ts'

test('thirty calls of each operation in any second', () => {
  let now = 0
  const admits = createThrottle(() => now)
  for (let call = 0; call < 30; call += 1) {
    now = call * 10
    expect(admits('a')).toBe(true)
  }
  expect(admits('a')).toBe(false)
  expect(admits('b')).toBe(true)
  now = 999
  expect(admits('a')).toBe(false)
  now = 1_000
  expect(admits('a')).toBe(true)
  expect(admits('a')).toBe(false)
})
