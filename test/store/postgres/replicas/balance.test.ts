import { expect, test } from 'vitest'
import type { Peer } from '../../../../src/ports/leases.ts'
import { balanceOf } from '../../../../src/store/postgres/replicas/balance.ts'

const sinks = (count: number) => Array.from({ length: count }, (_, at) => `sink:${at}`)
const peer = (tasks: readonly string[]): Peer => ({
  ...{ replica: 'other', name: 'other', version: '1', view: {} as Peer['view'] },
  ...{ startedAt: 0, seenMs: 0, tasks },
})

test.each<[string, number, number[], { hasMore: boolean; hasTwoMore: boolean }]>([
  ['one alone takes all', 9, [], { hasMore: false, hasTwoMore: false }],
  ['as many as another', 2, [2], { hasMore: false, hasTwoMore: false }],
  [
    'one more: to give it away would only turn it round',
    3,
    [2],
    { hasMore: true, hasTwoMore: false },
  ],
  ['two more', 4, [2], { hasMore: true, hasTwoMore: true }],
  ['two more than the one with the fewest', 4, [5, 2], { hasMore: true, hasTwoMore: true }],
])('sinks are shared out: %s', (_, mine, others, expected) => {
  expect(
    balanceOf(
      sinks(mine),
      others.map((count) => peer(sinks(count))),
    ),
  ).toEqual(expected)
})

test('only sinks count: whoever registers and counts streams gets its share of them', () => {
  expect(balanceOf([...sinks(1), 'streams', 'registrar'], [peer(sinks(1))]).hasMore).toBe(false)
})
