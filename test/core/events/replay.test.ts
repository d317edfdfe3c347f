import { expect, test } from 'vitest'
import { isSelected, type ReplaySelection } from '../../../src/core/events/replay.ts'
import { deliveryId, toCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import { eventOf } from '../../support/store/store-events.ts'

const ALL: ReplaySelection = { since: null, until: null, domain: null, stream: null }
const body = (fields: object) => new TextEncoder().encode(JSON.stringify(fields))
const EVENT = {
  ...eventOf(7, { receivedAt: 100, body: body({ AppName: 'live', StreamName: 'door' }) }),
  seq: 8,
}

test.each<[Partial<ReplaySelection>, boolean]>([
  [{}, true],
  [{ since: 100 }, true],
  [{ since: 101 }, false],
  [{ until: 101 }, true],
  [{ until: 100 }, false],
  [{ domain: 'live.example.com' }, true],
  [{ domain: 'other.example.com' }, false],
  [{ stream: 'door' }, true],
  [{ stream: 'live/door' }, true],
  [{ stream: 'other/door' }, false],
  [{ stream: 'live' }, false],
])('%j: %s', (selection, selected) => {
  expect(isSelected(EVENT, { ...ALL, ...selection })).toBe(selected)
})

test('an event whose stream is not understood is of none', () => {
  const odd = { ...EVENT, body: body({ StreamName: 'door' }) }
  expect(isSelected(odd, { ...ALL, stream: '/door' })).toBe(true)
  expect(isSelected({ ...EVENT, body: body({}) }, { ...ALL, stream: 'door' })).toBe(false)
})

test('a replayed event says so, keeps its identity, and is another delivery', () => {
  const again = { ...EVENT, replay: 3 }
  expect(toCloudEvent(again)).toEqual({ ...toCloudEvent(EVENT), replay: 3 })
  expect(toCloudEvent(EVENT)).not.toHaveProperty('replay')
  expect(deliveryId(EVENT)).toBe(EVENT.id)
  expect(deliveryId(again)).toBe(`${EVENT.id}-replay-3`)
})
