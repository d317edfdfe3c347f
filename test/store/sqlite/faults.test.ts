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
    [13, 'store_full', 'The store x.db is full: make room on its disk.'],
    [4874, 'store_full', 'The store x.db is full: make room on its disk.'],
    [10, 'store_failed', 'The store x.db is on a disk that fails (from sqlite): check it.'],
    [5, 'store_failed', 'The store x.db failed: from sqlite.'],
    [8, 'store_failed', expect.stringMatching(/^The store x.db can't be written to: check/)],
    [11, 'store_damaged', expect.stringMatching(/^The store x.db is damaged: restore it/)],
    [26, 'store_damaged', expect.stringMatching(/^The store x.db is damaged: restore it/)],
  ])('gives %s as %s', (errcode, code, message) => {
    expect(faultOf(sqliteError(errcode), 'x.db')).toMatchObject({ code, message })
  })

  it('gives faults and anything else', () => {
    expect(faultOf(new ServiceError('Slow.', { code: 'store_slow' }), 'x.db')).toEqual({
      code: 'store_slow',
      message: 'Slow.',
    })
    expect(faultOf('odd', 'x.db')).toMatchObject({ code: 'store_failed' })
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
