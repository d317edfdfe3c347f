import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  confirmedOf,
  type DeliveryOutcome,
  MAX_STRIKES,
  newPart,
  nextDelivery,
  nextRetry,
  type Part,
  restOf,
} from '../../../src/core/delivery/delivery.ts'
import { nextComparison, nextConfirmation } from '../../../src/core/delivery/suspects.ts'
import { eventOf, range } from '../../support/store-events.ts'

const events = (...seqs: number[]) => seqs.map((seq) => ({ ...eventOf(seq), seq }))
const part = (seqs: number[], over: Partial<Part> = {}): Part => ({
  ...newPart(events(...seqs)),
  ...over,
})
const shape = ({ events: held, failures, strikes, suspect }: Part) => ({
  seqs: held.map(({ seq }) => seq),
  failures,
  strikes,
  suspect,
})
const fresh = (...seqs: number[]) => ({ seqs, failures: 0, strikes: 0, suspect: false })

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

  test('leaves the rest, whose failures begin anew; a suspicion stays', () => {
    const tried = part([4, 6, 9], { failures: 3, strikes: 2, suspect: true })
    const through = restOf(some, tried)
    expect(through?.last.seq).toBe(6)
    expect(through && shape(through.rest)).toEqual({ ...fresh(9), suspect: true })
  })

  test.each([DELIVERED, FAILED, { ...FAILED, confirmed: 0 } as const])(
    '%j: none did',
    (outcome) => {
      expect(restOf(outcome, part([1, 2]))).toBeUndefined()
    },
  )
})

describe('an attempt', () => {
  test.each<[what: string, outcome: DeliveryOutcome, of: Part, next: object]>([
    ['delivered', DELIVERED, part([1, 2]), { kind: 'advance' }],
    [
      'one rejected alone becomes a dead letter',
      REJECTED,
      part([1], { failures: 2 }),
      { kind: 'bury', refused: { reason: 'answered 422', attempts: 3, event: { seq: 1 } } },
    ],
    ['refused by the sink: waits', REFUSED, part([1]), { kind: 'retry', state: 'refused' }],
    [
      'refused for the hundredth time: no event is blamed',
      REFUSED,
      part([1], { failures: 99, strikes: 9 }),
      { kind: 'retry', state: 'refused', compare: false, part: { failures: 100, strikes: 9 } },
    ],
    [
      'no connection for the hundredth time: no event is blamed',
      FAILED,
      part([1], { failures: 99, strikes: 9 }),
      { kind: 'retry', state: 'failing', compare: false, part: { failures: 100, strikes: 9 } },
    ],
    [
      'a batch broke the sink nine times',
      BROKE,
      part([1, 2], { failures: 8, strikes: 8 }),
      { kind: 'retry', state: 'failing', compare: false, part: NINE },
    ],
    [
      'a batch is told when to come back for the hundredth time: it is not what breaks the sink',
      { ...BROKE, retryAfterMs: 60_000 },
      part([1, 2], { failures: 99, suspect: true }),
      { kind: 'retry', afterMs: 300_000 / 2, compare: false, part: { failures: 100, strikes: 0 } },
    ],
    [
      'an event alone broke the sink nine times',
      BROKE,
      part([1], { failures: 8, strikes: 8, suspect: true }),
      { kind: 'retry', compare: false, part: NINE },
    ],
    [
      'an event alone broke the sink ten times: it is compared with the next',
      BROKE,
      part([1], NINE),
      { kind: 'retry', compare: true, part: { failures: 10, strikes: MAX_STRIKES } },
    ],
  ])('%s', (_what, outcome, of, next) => {
    expect(nextDelivery(outcome, of, 0)).toMatchObject(next)
  })

  test.each<[what: string, outcome: DeliveryOutcome, of: Part, halves: object[]]>([
    ['rejected', REJECTED, part([1, 2, 3]), [fresh(1, 2), fresh(3)]],
    [
      'rejected, and under suspicion',
      REJECTED,
      part([1, 2], { suspect: true }),
      [
        { ...fresh(1), suspect: true },
        { ...fresh(2), suspect: true },
      ],
    ],
    [
      'the tenth time that it breaks the sink',
      BROKE,
      part([1, 2], NINE),
      [
        { ...fresh(1), suspect: true },
        { ...fresh(2), suspect: true },
      ],
    ],
    [
      'the first time, where it is half of one that did',
      BROKE,
      part([1, 2], { suspect: true }),
      [
        { ...fresh(1), suspect: true },
        { ...fresh(2), suspect: true },
      ],
    ],
  ])('a batch is split: %s', (_what, outcome, of, halves) => {
    const next = nextDelivery(outcome, of, 0)
    expect(next.kind === 'split' && next.parts.map(shape)).toEqual(halves)
  })

  test('an event rejected after a hundred others is not given up: it is the sink', () => {
    expect(nextDelivery(REJECTED, part([1]), 0, 99)).toMatchObject({ kind: 'bury' })
    expect(nextDelivery(REJECTED, part([1, 2]), 0, 100)).toMatchObject({ kind: 'split' })
    expect(nextDelivery(REJECTED, part([1], { failures: 1 }), 0, 100)).toMatchObject({
      kind: 'retry',
      part: { failures: 2 },
      afterMs: 500,
      state: 'refused',
      reason: 'rejects one event after the other (answered 422)',
      compare: true,
    })
  })

  test('split parts hold every event, in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100 }), (length) => {
        const next = nextDelivery(REJECTED, part(range(length)), 0)
        const parts = next.kind === 'split' ? next.parts.map(shape) : []
        expect(parts.flatMap(({ seqs }) => seqs)).toEqual(range(length))
        expect(parts.every(({ seqs }) => seqs.length > 0)).toBe(true)
      }),
    )
  })

  test.each<[what: string, failures: number, retryAfterMs: number, random: number, ms: number]>([
    ['the first wait', 0, 0, 0, 250],
    ['the longest wait', 49, 0, 1, 300_000],
    ['a pause that the sink asks for', 0, 60_000, 0, 60_000],
    ['a pause shorter than ours', 49, 1_000, 1, 300_000],
    ['a pause beyond measure', 0, 86_400_000, 0, 900_000],
  ])('%s', (_what, failures, retryAfterMs, random, ms) => {
    const outcome = { ...FAILED, retryAfterMs }
    expect(nextDelivery(outcome, part([1], { failures }), random)).toMatchObject({ afterMs: ms })
  })
})

describe('the event after the suspects', () => {
  const compared = part([3], { failures: 1, strikes: 1 })

  test.each<[what: string, outcome: DeliveryOutcome, of: Part, next: object]>([
    ['passes: the sink works', DELIVERED, compared, { kind: 'works' }],
    [
      'is rejected: that proves nothing, and it is suspect itself',
      REJECTED,
      compared,
      { kind: 'undecided', compared: { failures: 2, strikes: 1, suspect: true } },
    ],
    [
      'breaks the sink as well',
      BROKE,
      compared,
      { kind: 'undecided', compared: { failures: 2, strikes: 2, suspect: false }, afterMs: 500 },
    ],
    [
      'breaks the sink for the tenth time: it is suspect itself',
      BROKE,
      part([3], NINE),
      { kind: 'undecided', compared: { failures: 10, strikes: 10, suspect: true } },
    ],
    [
      'finds no connection',
      { ...FAILED, retryAfterMs: 60_000 },
      compared,
      { kind: 'undecided', compared: { failures: 2, strikes: 1 }, afterMs: 60_000 },
    ],
    [
      'is refused by the sink',
      REFUSED,
      compared,
      { kind: 'undecided', compared: { failures: 2, strikes: 1 } },
    ],
  ])('%s', (_what, outcome, of, next) => {
    expect(nextComparison(outcome, of, 0)).toMatchObject(next)
  })
})

describe('a suspect that is tried while the sink works', () => {
  const suspect = part([1], { failures: 12, strikes: 10 })

  test.each<[what: string, outcome: DeliveryOutcome, nth: number, next: object]>([
    ['is delivered: it was the outage', DELIVERED, 1, { kind: 'advance' }],
    [
      'is rejected three times',
      REJECTED,
      3,
      { kind: 'bury', refused: { event: { seq: 1 }, attempts: 13, reason: 'answered 422' } },
    ],
    [
      'breaks it: perhaps a backend that is still down',
      BROKE,
      2,
      { kind: 'again', suspect: { failures: 13, strikes: 11 } },
    ],
    [
      'breaks it three times: it is to blame',
      BROKE,
      3,
      { kind: 'bury', refused: { attempts: 13, reason: 'broke the sink 11 times' } },
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
  test.each<[what: string, outcome: DeliveryOutcome, of: Part, next: object]>([
    ['is delivered', DELIVERED, part([1]), { kind: 'remove' }],
    ['is rejected again', REJECTED, part([1]), { kind: 'keep', reason: 'answered 422' }],
    ['waits for the sink', REFUSED, part([1]), { kind: 'again', part: { failures: 1 } }],
    ['waits for the connection', FAILED, part([1], NINE), { kind: 'again' }],
    ['breaks the sink', BROKE, part([1]), { kind: 'again', part: { strikes: 1 } }],
    ['breaks the sink too often', BROKE, part([1], NINE), { kind: 'keep', reason: 'answered 500' }],
  ])('%s', (_what, outcome, of, next) => {
    expect(nextRetry(outcome, of, 0)).toMatchObject(next)
  })
})
