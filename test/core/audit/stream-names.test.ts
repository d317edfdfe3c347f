import { expect, test } from 'vitest'
import type { KeptShot } from '../../../src/core/audit/shots.ts'
import { sortByStream, streamKey } from '../../../src/core/audit/stream-names.ts'

function kept(app: string | null, stream: string | null): KeptShot {
  return { app, stream, object: null, capturedAt: 1, occurredAt: 1, isCallback: true }
}

function sorted(listed: readonly [string, string][], events: readonly KeptShot[]) {
  const names = listed.map(([app, stream]) => ({ app, stream }))
  const { streams, loose } = sortByStream(names, events)
  const counts = [...streams.values()].map(
    ({ name, kept: own }) => [`${name.app}/${name.stream}`, own.length] as const,
  )
  return { counts: Object.fromEntries(counts), loose: loose.length }
}

test('events belong to the stream of their name, listed or not', () => {
  const events = [kept('live', 'a'), kept('live', 'b'), kept('live', 'a')]
  expect(sorted([['live', 'a']], events)).toEqual({
    counts: { 'live/a': 2, 'live/b': 1 },
    loose: 0,
  })
})

test('a name that the list spells in another case is the same, asked for as it is listed', () => {
  expect(sorted([['Live', 'Door']], [kept('live', 'door')]).counts).toEqual({ 'Live/Door': 1 })
})

test('two listed streams that differ in case alone are two', () => {
  const events = [kept('live', 'cam'), kept('live', 'CAM'), kept('live', 'CAM')]
  const listed: [string, string][] = [
    ['live', 'cam'],
    ['live', 'CAM'],
  ]
  expect(sorted(listed, events).counts).toEqual({ 'live/cam': 1, 'live/CAM': 2 })
})

test('a body without an app belongs to the stream of its name, one without a stream to any', () => {
  const events = [kept(null, 'a'), kept('live', null), kept(null, 'unheard of')]
  expect(sorted([['live', 'a']], events)).toEqual({ counts: { 'live/a': 1 }, loose: 2 })
  expect(sorted([], [kept(null, 'b'), kept('live', 'b')]).counts).toEqual({ 'live/b': 2 })
})

test('names are told apart whatever they hold', () => {
  expect(streamKey({ app: 'a/b', stream: 'c' })).not.toBe(streamKey({ app: 'a', stream: 'b/c' }))
})
