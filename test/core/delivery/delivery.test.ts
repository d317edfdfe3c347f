import { describe, expect, test } from 'vitest'
import { type Batch, newBatch, restOf } from '../../../src/core/delivery/batch.ts'
import {
  givenUpBefore,
  MAX_STRIKES,
  nextDelivery,
  nextRetry,
} from '../../../src/core/delivery/delivery.ts'
import { confirmedOf, type DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'
import { nextComparison, nextConfirmation } from '../../../src/core/delivery/suspects.ts'
import { eventOf } from '../../support/store/store-events.ts'

const events = (...seqs: number[]) => seqs.map((seq) => ({ ...eventOf(seq), seq }))
const batchOf = (seqs: number[], over: Partial<Batch> = {}): Batch => ({
  ...newBatch(events(...seqs)),
  ...over,
})
const shape = ({ events: held, failures, strikes }: Batch) => ({
  seqs: held.map(({ seq }) => seq),
  failures,
  strikes,
})

const DELIVERED: DeliveryOutcome = { kind: 'delivered' }
const REJECTED: DeliveryOutcome = { kind: 'rejected', reason: 'answered 422' }
const REFUSED: DeliveryOutcome = { kind: 'refused', reason: 'answered 401' }
const FAILED: DeliveryOutcome = { kind: 'failed', reason: 'no connection' }
const BROKE: DeliveryOutcome = { kind: 'failed', reason: 'answered 500', strike: true }
const NINE = { failures: 9, strikes: 9 }

describe('an attempt that ended in the middle', () => {
  const some = { ...FAILED, confirmed: 2 } as const

  test.each<[DeliveryOutcome, number]>([
    [DELIVERED, 3],
    [FAILED, 0],
    [some, 2],
  ])('%j got %i of three through', (outcome, count) => {
    expect(confirmedOf(outcome, events(1, 2, 3))).toBe(count)
  })

  test('leaves the rest, whose failures begin anew', () => {
    const through = restOf(some, batchOf([4, 6, 9], { failures: 3, strikes: 2 }))
    expect(through?.last.seq).toBe(6)
    expect(through && shape(through.rest)).toEqual({ seqs: [9], failures: 0, strikes: 0 })
  })

  test.each([DELIVERED, FAILED, { ...FAILED, confirmed: 0 } as const])(
    '%j: none did',
    (outcome) => {
      expect(restOf(outcome, batchOf([1, 2]))).toBeUndefined()
    },
  )
})

describe('an attempt', () => {
  test.each<[what: string, outcome: DeliveryOutcome, of: Batch, next: object]>([
    ['delivered', DELIVERED, batchOf([1, 2]), { kind: 'advance' }],
    [
      'one rejected alone becomes a dead letter',
      REJECTED,
      batchOf([1], { failures: 2 }),
      { kind: 'bury', rejected: { reason: 'answered 422', attempts: 3, event: { seq: 1 } } },
    ],
    [
      'refused by the sink: the same batch waits',
      REFUSED,
      batchOf([1, 2]),
      { kind: 'retry', batch: { failures: 1 }, trouble: { state: 'refused' }, compare: false },
    ],
    [
      'refused for the hundredth time: no event is blamed',
      REFUSED,
      batchOf([1], { failures: 99, strikes: 9 }),
      { kind: 'retry', compare: false, batch: { failures: 100, strikes: 9 } },
    ],
    [
      'no connection for the hundredth time: no event is blamed',
      FAILED,
      batchOf([1], { failures: 99, strikes: 9 }),
      {
        kind: 'retry',
        compare: false,
        batch: { failures: 100, strikes: 9 },
        trouble: { state: 'failing' },
      },
    ],
    [
      'an event alone is told when to come back for the hundredth time: it is not what breaks the sink',
      { ...BROKE, retryAfterMs: 60_000 },
      batchOf([1], { failures: 99, strikes: 9 }),
      {
        kind: 'retry',
        compare: false,
        batch: { failures: 100, strikes: 9 },
        trouble: { afterMs: 300_000 / 2 },
      },
    ],
    [
      'an event alone broke the sink nine times',
      BROKE,
      batchOf([1], { failures: 8, strikes: 8 }),
      { kind: 'retry', compare: false, batch: NINE },
    ],
    [
      'an event alone broke the sink ten times: it is compared with the next',
      BROKE,
      batchOf([1], NINE),
      { kind: 'retry', compare: true, batch: { failures: 10, strikes: MAX_STRIKES } },
    ],
  ])('%s', (_what, outcome, of, next) => {
    expect(nextDelivery(outcome, of, 0)).toMatchObject(next)
  })

  test.each<[what: string, outcome: DeliveryOutcome, trouble: object | undefined]>([
    ['rejected: at once', REJECTED, undefined],
    ['broke the sink', BROKE, { afterMs: 250, state: 'failing', reason: 'answered 500' }],
    ['got no answer', FAILED, { afterMs: 250, state: 'failing', reason: 'no connection' }],
    ['is to come later', { ...FAILED, retryAfterMs: 9_000 }, { afterMs: 9_000, state: 'failing' }],
  ])('a batch that %s is followed by a smaller one', (_what, outcome, trouble) => {
    const next = nextDelivery(outcome, batchOf([1, 2], NINE), 0)
    expect(next).toMatchObject({ kind: 'send_less' })
    if (trouble === undefined) expect(next).not.toHaveProperty('trouble')
    else expect(next).toMatchObject({ trouble: { ...trouble, afterMs: expect.any(Number) } })
  })

  test('an event rejected after a hundred others is not given up: it is the sink', () => {
    expect(nextDelivery(REJECTED, batchOf([1]), 0, 99)).toMatchObject({ kind: 'bury' })
    expect(nextDelivery(REJECTED, batchOf([1, 2]), 0, 100)).toMatchObject({ kind: 'send_less' })
    expect(nextDelivery(REJECTED, batchOf([1], { failures: 1 }), 0, 100)).toMatchObject({
      kind: 'retry',
      batch: { failures: 2 },
      trouble: {
        afterMs: 500,
        state: 'refused',
        reason: 'rejects one event after the other (answered 422)',
      },
      compare: true,
    })
  })

  test.each<[what: string, failures: number, retryAfterMs: number, random: number, ms: number]>([
    ['the first wait', 0, 0, 0, 250],
    ['the longest wait', 49, 0, 1, 300_000],
    ['a pause that the sink asks for', 0, 60_000, 0, 60_000],
    ['a pause shorter than ours', 49, 1_000, 1, 300_000],
    ['a pause beyond measure', 0, 86_400_000, 0, 900_000],
  ])('%s', (_what, failures, retryAfterMs, random, ms) => {
    const outcome = { ...FAILED, retryAfterMs }
    expect(nextDelivery(outcome, batchOf([1], { failures }), random)).toMatchObject({
      trouble: { afterMs: ms },
    })
  })
})

test.each([
  [0, [], 0],
  [7, [], 0],
  [7, [6], 0],
  [7, [7], 1],
  [7, [3, 5, 6, 7, 9], 3],
])('at cursor %i, with the dead letters %j, %i were given up in a row', (cursor, dead, count) => {
  expect(givenUpBefore(cursor, dead)).toBe(count)
})

describe('the event after the suspects', () => {
  const control = batchOf([3], { failures: 1, strikes: 1 })

  test.each<[what: string, outcome: DeliveryOutcome, of: Batch, next: object]>([
    ['passes: the sink works', DELIVERED, control, { kind: 'works' }],
    [
      'is rejected: that proves nothing, and it is suspect itself',
      REJECTED,
      control,
      { kind: 'undecided', control: { failures: 2, strikes: 1, isSuspect: true } },
    ],
    [
      'breaks the sink as well',
      BROKE,
      control,
      { kind: 'undecided', control: { failures: 2, strikes: 2, isSuspect: false }, afterMs: 500 },
    ],
    [
      'breaks the sink for the tenth time: it is suspect itself',
      BROKE,
      batchOf([3], NINE),
      { kind: 'undecided', control: { failures: 10, strikes: 10, isSuspect: true } },
    ],
    [
      'finds no connection',
      { ...FAILED, retryAfterMs: 60_000 },
      control,
      { kind: 'undecided', control: { failures: 2, strikes: 1 }, afterMs: 60_000 },
    ],
    [
      'is refused by the sink',
      REFUSED,
      control,
      { kind: 'undecided', control: { failures: 2, strikes: 1 } },
    ],
  ])('%s', (_what, outcome, of, next) => {
    expect(nextComparison(outcome, of, 0)).toMatchObject(next)
  })
})

describe('a suspect that is tried while the sink works', () => {
  const suspect = batchOf([1], { failures: 12, strikes: 10 })

  test.each<[what: string, outcome: DeliveryOutcome, nth: number, next: object]>([
    ['is delivered: it was the outage', DELIVERED, 1, { kind: 'advance' }],
    [
      'is rejected three times',
      REJECTED,
      3,
      { kind: 'bury', rejected: { event: { seq: 1 }, attempts: 13, reason: 'answered 422' } },
    ],
    [
      'breaks it: perhaps a backend that is still down',
      BROKE,
      2,
      { kind: 'again', suspect: { failures: 13, strikes: 11 } },
    ],
    [
      'breaks it three times: it is to blame, and the reason says for what',
      BROKE,
      3,
      {
        kind: 'bury',
        rejected: {
          attempts: 13,
          reason: 'answered 500, 11 times, and the event after it was taken',
        },
      },
    ],
    [
      'finds no connection: the sink does not work after all',
      { ...FAILED, retryAfterMs: 900_000 },
      3,
      { kind: 'undecided', afterMs: 900_000 },
    ],
  ])('%s', (_what, outcome, nth, next) => {
    expect(nextConfirmation(outcome, suspect, nth, 0)).toMatchObject(next)
  })
})

describe('a dead letter that is tried again', () => {
  test.each<[what: string, outcome: DeliveryOutcome, of: Batch, next: object]>([
    ['is delivered', DELIVERED, batchOf([1]), { kind: 'remove' }],
    ['is rejected again', REJECTED, batchOf([1]), { kind: 'keep', reason: 'answered 422' }],
    ['waits for the sink', REFUSED, batchOf([1]), { kind: 'again', batch: { failures: 1 } }],
    ['waits for the connection', FAILED, batchOf([1], NINE), { kind: 'again' }],
    ['breaks the sink', BROKE, batchOf([1]), { kind: 'again', batch: { strikes: 1 } }],
    [
      'breaks the sink too often',
      BROKE,
      batchOf([1], NINE),
      { kind: 'keep', reason: 'answered 500' },
    ],
  ])('%s', (_what, outcome, of, next) => {
    expect(nextRetry(outcome, of, 0)).toMatchObject(next)
  })
})
