import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitName, printable, printableJson, printableLines } from '../../src/core/printable.ts'

/** What a terminal obeys. */
const OBEYED = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
const anything = fc.string({ unit: 'binary' })

describe('a name', () => {
  test.each([
    ['plain', 'plain'],
    ['ü/猫 👍', 'ü/猫 👍'],
    ['a\u0000b\u001b[31m', 'a\ufffdb\ufffd[31m'],
    ['a\u007f\u0085\u009b', 'a\ufffd\ufffd\ufffd'],
    ['\ud800x\udc00', '\ufffdx\ufffd'],
    ['\ufdd0\uffff\u{1fffe}', '\ufffd\ufffd\ufffd'],
  ])('%j', (given, expected) => {
    expect(fitName(given)).toBe(expected)
  })

  test('is fit after once', () => {
    fc.assert(fc.property(anything, (text) => fitName(fitName(text)) === fitName(text)))
  })
})

describe('text for a terminal', () => {
  test('holds nothing that a terminal obeys, but for line feeds where there may be several', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(printable(text)).not.toMatch(OBEYED)
        expect(printableLines(text).replaceAll('\n', '')).not.toMatch(OBEYED)
        expect(printableLines(text).split('\n')).toHaveLength(text.split('\n').length)
      }),
    )
  })

  test('JSON is the same value, and holds none raw', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const json = printableJson({ text })
        expect(json).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
        expect(JSON.parse(json)).toEqual({ text })
      }),
    )
    expect(printableJson([1], 2)).toBe('[\n  1\n]')
  })
})
