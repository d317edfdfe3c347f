// Where events are that were shown lately: the last ones are known, and not all that ever were.
import { expect, test } from 'vitest'
import { createKnownSeqs } from '../../../src/http/api/known-seqs.ts'

test('the last half of the most is always known, the most at most', () => {
  const known = createKnownSeqs(100)
  for (let n = 1; n <= 1_000; n += 1) {
    if (n % 2 === 0) known.note({ id: `id-${n}`, seq: n })
    else known.noteAll({ ids: [`id-${n}`], seqs: [n] })
    for (let last = Math.max(1, n - 49); last <= n; last += 1) {
      expect(known.get(`id-${last}`)).toBe(last)
    }
    expect(known.get(`id-${n - 100}`)).toBeUndefined()
  }
  expect(known.get('another')).toBeUndefined()
})
