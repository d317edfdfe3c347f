import { expect, test } from 'vitest'
import type { Understood } from '../../../src/core/events/callback.ts'
import {
  packEvents,
  packStored,
  unpackEvents,
  unpackSightings,
  unpackStored,
} from '../../../src/store/sqlite/messages.ts'
import { eventOf, range } from '../../support/store/store-events.ts'

const NOTHING: Understood = {
  ...{ app: null, stream: null, bucket: null, endpoint: null, object: null },
  capturedAt: null,
  flags: ['not_json'],
}

/** More domains and apps than are looked for, names in all sizes, and bodies of a pool. */
const events = range(40).map((n) =>
  eventOf(n, {
    domain: `d${n % 12}.example.com`,
    origin: n % 3 === 0 ? 'audit' : 'callback',
    body: new Uint8Array(1_000).fill(n).subarray(n, 3 * n),
    ...(n % 5 === 0 && { id: 'ab'.repeat(n) }),
  }),
)

test('events cross as they are, with what has been read of them', () => {
  const understood = range(40).map((n) => {
    if (n % 4 === 0) return undefined
    if (n % 4 === 1) return NOTHING
    return { ...NOTHING, app: `app${n % 11}`, stream: `猫 ${n}`, capturedAt: n === 2 ? 0 : -n }
  })
  const packed = structuredClone(packEvents(events, understood))
  expect(unpackEvents(packed)).toEqual(events)
  const sightings = understood.map(
    (each) => each && { app: each.app, stream: each.stream, capturedAt: each.capturedAt },
  )
  expect(unpackSightings(packed)).toEqual(sightings)
  expect(unpackSightings(packEvents(events))).toEqual(events.map(() => undefined))
  expect(unpackEvents(packEvents([]))).toEqual([])
})

test('events that were read cross with their seqs', () => {
  const stored = events.map((event, row) => ({ ...event, seq: 7 * row + 1 }))
  expect(unpackStored(structuredClone(packStored(stored)))).toEqual(stored)
})
