import { expect, test } from 'vitest'
import { lagOf } from '../../../src/core/delivery/lag.ts'

const jumps = [
  { after: 10, upTo: 110 },
  { after: 120, upTo: 220 },
]

test.each([
  ['a sink that has had none', 0, { lastSeq: 7 }, 7],
  ['a sink that has had all', 7, { lastSeq: 7 }, 0],
  ['a sink that knows of more than is left', 9, { lastSeq: 7 }, 0],
  ['below both jumps', 8, { lastSeq: 223, jumps }, 2 + 10 + 3],
  ['at the first jump', 10, { lastSeq: 223, jumps }, 10 + 3],
  ['had what the failover lost', 14, { lastSeq: 223, jumps }, 10 + 3],
  ['between them', 115, { lastSeq: 223, jumps }, 5 + 3],
  ['above both', 221, { lastSeq: 223, jumps }, 2],
  ['nothing came since the jump', 10, { lastSeq: 110, jumps: jumps.slice(0, 1) }, 0],
])('lag, %s', (_, cursor, log, lag) => {
  expect(lagOf(cursor, log)).toBe(lag)
})
