import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FULL_SIZE, nextSize } from '../../../src/core/delivery/batch-size.ts'
import type { DeliveryOutcome } from '../../../src/core/delivery/outcome.ts'

const DELIVERED: DeliveryOutcome = { kind: 'delivered' }
const FAILED: DeliveryOutcome = { kind: 'failed', reason: 'no answer' }

/** Full batches to a receiver that takes `capacity` events at once: what was sent, attempt by attempt. */
function sentTo(capacity: number, attempts: number): number[] {
  let size = FULL_SIZE
  return Array.from({ length: attempts }, () => {
    const sent = size.limit
    size = nextSize(size, sent <= capacity ? DELIVERED : FAILED, sent)
    return sent
  })
}

test('half as many after each failure, down to one, and twice as many after each success', () => {
  expect(sentTo(0, 9)).toEqual([100, 50, 25, 13, 7, 4, 2, 1, 1])
  let size = FULL_SIZE
  const sizes = [100, 50, 25].map((sent) => {
    size = nextSize(size, FAILED, sent)
    return size.limit
  })
  expect(sizes).toEqual([50, 25, 13])
  const grown = [13, 26, 52, 100].map((sent) => {
    size = nextSize(size, DELIVERED, sent)
    return size.limit
  })
  expect(grown).toEqual([26, 52, 100, 100])
})

test('a size that failed is tried ever more rarely while the smaller one works', () => {
  const trials = sentTo(30, 300).flatMap((sent, index) => (sent > 30 ? [index] : []))
  const gaps = trials.slice(2).map((index, n) => index - (trials[n + 1] as number))
  expect(gaps).toEqual([2, 3, 5, 9, 17, 33, 65, 65, 65])
})

test('a receiver that has become faster is served in full again', () => {
  let size = FULL_SIZE
  const serve = (capacity: number, attempts: number): void => {
    for (let n = 0; n < attempts; n++) {
      size = nextSize(size, size.limit <= capacity ? DELIVERED : FAILED, size.limit)
    }
  }
  serve(3, 500)
  expect(size).toMatchObject({ limit: 2, patience: 64 })
  serve(100, 200)
  expect(size).toMatchObject({ limit: 100, patience: 1 })
})

describe('unchanged', () => {
  const some = { ...FULL_SIZE, limit: 8 }

  test('by a refusal, whatever was sent', () => {
    expect(nextSize(some, { kind: 'refused', reason: 'answered 401' }, 8)).toBe(some)
  })

  test('by a batch that was not full: it proves nothing of larger ones', () => {
    expect(nextSize(some, DELIVERED, 7)).toBe(some)
  })
})

test('whatever happens, from one to a hundred events are sent, and a failure never means more', () => {
  const outcomes = fc.constantFrom<DeliveryOutcome>(
    DELIVERED,
    FAILED,
    { kind: 'rejected', reason: 'answered 413' },
    { kind: 'refused', reason: 'answered 401' },
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(outcomes, fc.nat(99)), { maxLength: 300 }), (attempts) => {
      let size = FULL_SIZE
      for (const [outcome, waiting] of attempts) {
        const sent = Math.min(size.limit, waiting + 1)
        const next = nextSize(size, outcome, sent)
        expect(next.limit).toBeGreaterThanOrEqual(1)
        expect(next.limit).toBeLessThanOrEqual(100)
        if (outcome.kind === 'failed' && sent > 1) expect(next.limit).toBeLessThan(sent)
        size = next
      }
    }),
  )
})

test('a receiver of any capacity gets on: what is sent in vain stays within bounds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (capacity) => {
      const sent = sentTo(capacity, 1_000)
      const sum = (values: number[]) => values.reduce((total, each) => total + each, 0)
      const taken = sum(sent.filter((each) => each <= capacity))
      const inVain = sum(sent.filter((each) => each > capacity))
      // At least half of its capacity each time, and a tenth of that in vain at most.
      expect(taken).toBeGreaterThan((capacity / 2) * 900)
      expect(inVain).toBeLessThan(0.1 * taken + 300)
    }),
  )
})
