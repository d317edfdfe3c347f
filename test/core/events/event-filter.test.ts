import { describe, expect, test } from 'vitest'
import {
  asksBody,
  EVERY_EVENT,
  type EventFilter,
  matchesBody,
  matchesEnvelope,
} from '../../../src/core/events/event-filter.ts'

const BODY = {
  ...{ app: 'live', stream: 'a\u0007b', bucket: null, endpoint: null, object: null },
  capturedAt: null,
  flags: ['no_object'],
} as const
const EVENT = { domain: 'play.example.com', origin: 'callback', receivedAt: 1_000 } as const

describe('a filter', () => {
  test.each<[Partial<EventFilter>, boolean]>([
    [{}, true],
    [{ domain: 'play.example.com' }, true],
    [{ domain: 'other.example.com' }, false],
    [{ origin: 'callback' }, true],
    [{ origin: 'audit' }, false],
    [{ since: 1_000 }, true],
    [{ since: 1_001 }, false],
    [{ until: 1_001 }, true],
    [{ until: 1_000 }, false],
  ])('of what the log keeps: %j', (over, expected) => {
    expect(matchesEnvelope({ ...EVERY_EVENT, ...over }, EVENT)).toBe(expected)
  })

  test.each<[Partial<EventFilter>, boolean]>([
    [{}, true],
    [{ app: 'live' }, true],
    [{ app: 'other' }, false],
    [{ stream: 'a\ufffdb' }, true],
    [{ stream: 'a\u0007b' }, false],
    [{ flag: 'no_object' }, true],
    [{ flag: 'not_json' }, false],
  ])('of what the body says: %j', (over, expected) => {
    expect(matchesBody({ ...EVERY_EVENT, ...over }, BODY)).toBe(expected)
  })

  test('of what the body says takes a look at it', () => {
    const unnamed = { ...BODY, app: null, stream: null }
    expect(matchesBody({ ...EVERY_EVENT, app: 'live' }, unnamed)).toBe(false)
    expect(matchesBody({ ...EVERY_EVENT, stream: 's' }, unnamed)).toBe(false)
    expect(asksBody(EVERY_EVENT)).toBe(false)
    for (const over of [{ app: 'a' }, { stream: 's' }, { flag: 'not_json' as const }]) {
      expect(asksBody({ ...EVERY_EVENT, ...over })).toBe(true)
    }
  })
})
