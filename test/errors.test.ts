import { expect, test } from 'vitest'
import { describeBug, ServiceError, unlessBug } from '../src/errors.ts'

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new TypeError('nothing was thrown')
}

test('of a bug: what it was and where, frame by frame', () => {
  const nothing = null as unknown as { cursor: number }
  const { error, frames } = describeBug(thrownBy(() => nothing.cursor))
  expect(error).toBe("TypeError: Cannot read properties of null (reading 'cursor')")
  expect(frames[0]).toMatch(/^at .*errors\.test\.ts:\d+:\d+\)?$/)
  expect(frames.length).toBeGreaterThan(1)
})

test.each([
  ['a URL', () => new TypeError('Failed to parse URL from https://sink.example.com/token-of-it')],
  ['a key', () => new Error('no such key: a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6')],
  ['a text that was to be parsed', () => thrownBy(() => JSON.parse('secret of the tests'))],
  [
    'lines that look like frames',
    () => new Error('x\n    at https://sink.example.com/token-of-it'),
  ],
  ['a cause', () => new Error('x', { cause: new Error('https://user:password@redis/') })],
])('nothing of a message that holds %s', (_, make) => {
  const shown = JSON.stringify(describeBug(make()))
  expect(shown).not.toMatch(/token-of-it|a1B2c3|secret of|password/)
})

test('the cause of a cause is named, with its frames', () => {
  const { frames } = describeBug(new Error('outer', { cause: new RangeError('inner') }))
  expect(frames).toContain('caused by RangeError: inner')
})

test('what is no error at all is named by its kind', () => {
  expect(describeBug('text')).toEqual({ error: 'thrown: string', frames: [] })
})

test('a fault that we know has its value; anything else is thrown on', () => {
  expect(unlessBug(7)(new ServiceError('full', { code: 'store_full' }))).toBe(7)
  expect(() => unlessBug(7)(new TypeError('a bug'))).toThrow(TypeError)
})
