import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { createFrequentTrouble, createTrouble } from '../../src/flows/fault-log.ts'
import { keptLog } from '../support/flows/flow-fakes.ts'
import { manualClock } from '../support/flows/manual-clock.ts'

const told = { begun: 'it fails', over: 'it works again' }
const fails = new ServiceError('full', { code: 'store_full' })

test('trouble of several is logged when it begins and when the last of them is over it', () => {
  const log = keptLog()
  const trouble = createTrouble(log, told)
  for (const who of ['a', 'b', 'a']) trouble.met(who, fails)
  trouble.passed('a')
  expect(log.story()).toEqual(['it fails'])
  trouble.passed('b')
  trouble.passed('c')
  expect(log.story()).toEqual(['it fails', 'it works again'])
})

test.each([new TypeError('x is null'), 'thrown text', undefined])(
  'what is no fault that we know is a bug, and thrown on: %s',
  (bug) => {
    const log = keptLog()
    const trouble = createTrouble(log, told)
    let thrown: unknown
    try {
      trouble.met('a', bug)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBe(bug)
    expect(log.story()).toEqual([])
  },
)

test('trouble that comes and goes ninety times a second is logged once in ten seconds', async () => {
  const log = keptLog()
  const clock = manualClock()
  const trouble = createFrequentTrouble(told, { log, clock })
  for (let times = 0; times < 900; times += 1) {
    trouble.met('full')
    trouble.met('full')
    trouble.passed()
  }
  expect(log.story()).toEqual(['it fails', 'it works again'])
  await clock.advance(10_000)
  trouble.met('full')
  trouble.met('damaged')
  expect(log.lines.slice(2)).toMatchObject([{ level: 'error', fields: { reason: 'full' } }])
  await clock.advance(10_000)
  trouble.met('damaged')
  trouble.passed()
  expect(log.story()).toEqual([
    'it fails',
    'it works again',
    'it fails',
    'it fails',
    'it works again',
  ])
})
