import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../../src/errors.ts'
import { faultOf, isStatementError, openFault } from '../../../src/store/sqlite/faults.ts'

function sqliteError(errcode: unknown): Error {
  return Object.assign(new Error('from sqlite'), { code: 'ERR_SQLITE_ERROR', errcode })
}

describe('openFault', () => {
  it.each([
    [5, /is held by another process/],
    [8, /can't be written to/],
    [8 + 256, /can't be written to/],
    [11, /is damaged/],
    [13, /has no room left/],
    [14, /can't be opened: check/],
    [26, /is not a database/],
    [10, /can't be opened \(from sqlite\)/],
    ['odd', /can't be opened \(from sqlite\)/],
  ])('has a sentence for %s', (errcode, sentence) => {
    const error = sqliteError(errcode)
    const fault = openFault(error, 'data/snaphook.db')
    expect(fault.code).toBe('store_unavailable')
    expect(fault.message).toMatch(sentence)
    expect(fault.message).toMatch(/^The store data\/snaphook\.db [^\n]+\.$/)
    expect(fault.cause).toBe(error)
  })

  it('passes on what is a fault already', () => {
    const fault = new ServiceError('Newer.', { code: 'store_newer' })
    expect(openFault(fault, 'x')).toBe(fault)
  })
})

describe('faultOf', () => {
  it.each([
    [13, 'store_full'],
    [4874, 'store_full'],
    [10, 'store_failed'],
    [5, 'store_failed'],
    [8, 'store_failed'],
  ])('gives %s as %s', (errcode, code) => {
    expect(faultOf(sqliteError(errcode))).toMatchObject({ code })
  })

  it('gives faults and anything else', () => {
    expect(faultOf(new ServiceError('Slow.', { code: 'store_slow' }))).toEqual({
      code: 'store_slow',
      message: 'Slow.',
    })
    expect(faultOf('odd')).toMatchObject({ code: 'store_failed' })
  })
})

describe('isStatementError', () => {
  it('tells a wrong statement from a store in trouble', () => {
    expect([1, 19, 1299, 20, undefined].every((code) => isStatementError(sqliteError(code)))).toBe(
      true,
    )
    expect([5, 10, 11, 13].some((code) => isStatementError(sqliteError(code)))).toBe(false)
  })
})
