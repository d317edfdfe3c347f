import { describe, expect, test } from 'vitest'
import {
  findMissing,
  groupShots,
  type KeptShot,
  type ListedShot,
} from '../../../src/core/audit/shots.ts'

const AT = 1_700_000_000_000

function listed(seconds: number, parts: Partial<ListedShot> = {}): ListedShot {
  return {
    at: AT + seconds * 1_000,
    object: `live/a/${seconds}.jpg`,
    bucket: 'b',
    endpoint: 'oss',
    isOverlay: false,
    createTime: null,
    createTimestamp: AT + seconds * 1_000,
    ...parts,
  }
}

function kept(seconds: number, parts: Partial<KeptShot> = {}): KeptShot {
  return {
    app: 'live',
    stream: 'a',
    object: `live/a/${seconds}.jpg`,
    capturedAt: AT + seconds * 1_000,
    occurredAt: AT + seconds * 1_000,
    isCallback: true,
    ...parts,
  }
}

const OVERLAY = { object: 'live/a.jpg', isOverlay: true }
const TIMELESS = { capturedAt: null, object: null }

function missing(entries: readonly ListedShot[], events: readonly KeptShot[]): number[] {
  return findMissing(groupShots(entries), events).map(({ at }) => (at - AT) / 1_000)
}

describe('a listed shot is known', () => {
  test('by its object, whatever the event says of the time', () => {
    expect(missing([listed(10)], [kept(70, { object: '/live/a/10.jpg' })])).toEqual([])
    expect(missing([listed(10)], [kept(10, { ...TIMELESS, object: 'live/a/10.jpg' })])).toEqual([])
  })

  test('by a shot within 1.5 s, whatever its object is called', () => {
    expect(missing([listed(10)], [kept(11.5, { object: 'other' })])).toEqual([])
    expect(missing([listed(10)], [kept(8.5, { object: null })])).toEqual([])
    expect(missing([listed(10)], [kept(11.501, { object: 'other' })])).toEqual([10])
    expect(missing([listed(10)], [kept(8.499, { object: 'other' })])).toEqual([10])
  })

  test('not by an object of the same name long before: numbers begin anew with a push', () => {
    const again = kept(10 - 16 * 60, { object: 'live/a/10.jpg' })
    expect(missing([listed(10)], [again])).toEqual([10])
  })

  test('in both modes by one callback, and by two', () => {
    const both = [listed(10), listed(10.4, OVERLAY)]
    expect(missing(both, [kept(10)])).toEqual([])
    expect(missing(both, [kept(10.4, { object: OVERLAY.object })])).toEqual([])
    expect(missing(both, [kept(10), kept(10.4, { object: OVERLAY.object })])).toEqual([])
    expect(missing(both, [])).toEqual([10])
  })

  test('in overwrite mode by its time alone: all objects have one name', () => {
    const shots = [5, 10, 15].map((at) => listed(at, OVERLAY))
    expect(missing(shots, [kept(5, { object: OVERLAY.object })])).toEqual([10, 15])
  })
})

describe('events without capture time', () => {
  test('stand for the last shot before they were signed, one event for one shot', () => {
    const shots = [5, 10, 15].map((at) => listed(at, OVERLAY))
    const signed = (at: number) => kept(at, { ...TIMELESS, object: OVERLAY.object })
    expect(missing(shots, [signed(5.2), signed(15.9)])).toEqual([10])
    expect(missing(shots, [signed(5), signed(5), signed(5)])).toEqual([10, 15])
  })

  test('one that was signed with a late try stands for the one that is left', () => {
    const shots = [5, 10, 15, 20, 25].map((at) => listed(at, OVERLAY))
    const events = [10, 15, 20, 20, 25].map((at) => kept(at + 0.1, TIMELESS))
    expect(missing(shots, events)).toEqual([])
    expect(missing(shots, events.slice(1))).toEqual([5])
  })

  test('stand for nothing else where their object is listed', () => {
    const event = kept(10.1, { ...TIMELESS, object: 'live/a/10.jpg' })
    expect(missing([listed(10), listed(10 - 5)], [event])).toEqual([5])
  })
})

test('of two entries of one shot the one in sequence mode comes first, in whatever order', () => {
  const [first] = groupShots([listed(10.3, OVERLAY), listed(10.5)])
  expect(first?.entries.map(({ isOverlay }) => isOverlay)).toEqual([false, true])
  expect(first?.at).toBe(AT + 10_300)
})

test('entries of one moment come in one order, whatever the order of the list', () => {
  const entries = [
    listed(0, { object: null }),
    listed(0, { object: 'b.jpg' }),
    listed(0, { object: 'a.jpg' }),
    listed(0, OVERLAY),
  ]
  const [shot, ...others] = groupShots(entries)
  expect(others).toEqual([])
  expect(shot?.entries.map(({ object }) => object)).toEqual([null, 'a.jpg', 'b.jpg', 'live/a.jpg'])
  expect(groupShots(entries.toReversed())).toEqual([shot])
})
