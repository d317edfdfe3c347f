import { describe, expect, test } from 'vitest'
import { signCallback } from '../../../src/emulator/emulator.ts'

describe('signCallback', () => {
  test('is the known answer of the documented example', () => {
    expect(signCallback('learn.aliyundoc.com', '1519375990', 'yourkey')).toBe(
      '9e226fc2c250be266e3657e156f68c12',
    )
  })

  test('takes the timestamp as a number too', () => {
    expect(signCallback('h', 1, 'k')).toBe(signCallback('h', '1', 'k'))
  })
})
