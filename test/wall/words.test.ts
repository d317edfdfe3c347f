// What the page says: ages, the health line, why there is no picture, and what an empty wall lacks.
import { expect, test } from 'vitest'
import { createRate, healthOf } from '../../src/wall/logic/health.js'
import {
  ageInWords,
  bytesInWords,
  emptyState,
  localTime,
  noPicture,
  utcTime,
} from '../../src/wall/logic/words.js'
import type { Facts } from '../../src/wall/types.d.ts'

const S = 1000
const M = 60 * S
const H = 60 * M

test.each([
  [-5, '0 s'],
  [999, '0 s'],
  [59 * S + 999, '59 s'],
  [M, '1 min'],
  [59 * M + 59 * S, '59 min'],
  [H, '1 h 0 min'],
  [23 * H + 59 * M, '23 h 59 min'],
  [50 * H, '2 d 2 h'],
])('an age of %d ms', (ms, words) => {
  expect(ageInWords(ms)).toBe(words)
})

test('times are in the zone of the viewer, with the day only if it is another; UTC is exact', () => {
  const at = Date.parse('2026-11-25T12:00:00.123Z')
  expect(localTime(at, at + S)).not.toContain('2026')
  expect(localTime(at, at + 72 * H)).toContain('2026')
  expect(utcTime(at)).toBe('2026-11-25 12:00:00.123 UTC')
})

test('bytes', () => {
  expect([0, 1023, 1536, 300 * 2 ** 20].map(bytesInWords)).toEqual([
    '0 B',
    '1023 B',
    '1.5 KiB',
    '300 MiB',
  ])
})

const registration = (domain: string, state = 'in_sync') => ({
  domain,
  state,
  detail: null,
  url: '',
  lastCallbackAt: null,
})
const sink = (name: string, over: object = {}) => ({
  name,
  state: 'ok',
  lag: 0,
  detail: null,
  deadLetters: 0,
  ...over,
})
const audit = (over: object = {}) => ({
  domain: 'a.com',
  state: 'ok',
  detail: null,
  auditedUntil: null,
  missed: 0,
  filled: 0,
  ...over,
})
const WELL: Facts = {
  perMinute: 1204,
  registrations: [registration('a.com'), registration('b.com')],
  sinks: [sink('stdout')],
  audits: [audit()],
  replicas: null,
  storeFailing: null,
  storeUsed: 120,
  storeMax: 1000,
}
const line = (over: Partial<Facts>) =>
  healthOf({ ...WELL, ...over }).map(({ level, text }) => `${level}: ${text}`)

test('all is well', () => {
  expect(line({})).toEqual([
    'ok: 1,204 callbacks a minute',
    'ok: 2 domains in sync',
    'ok: 1 sink up to date',
    'ok: no shot missed',
    'ok: store 12 % used',
  ])
})

test('what is not known has no part', () => {
  const none = { perMinute: null, registrations: null, sinks: null, audits: null, storeUsed: null }
  expect(line(none)).toEqual([])
  expect(line({ ...none, audits: [], registrations: [] })).toEqual([])
})

test.each<[string, Partial<Facts>]>([
  ['warn: 0 callbacks a minute', { perMinute: 0 }],
  ['ok: 1 callback a minute', { perMinute: 1 }],
  ['warn: a.com being registered', { registrations: [registration('a.com', 'pending')] }],
  [
    'bad: b.com registered elsewhere, 1 more not in sync',
    { registrations: [registration('a.com', 'pending'), registration('b.com', 'conflict')] },
  ],
  ['bad: sink s refuses', { sinks: [sink('s', { state: 'refused' })] }],
  ['warn: sink s fails', { sinks: [sink('s', { state: 'failing' })] }],
  ['bad: sink s fails, 5,000 behind', { sinks: [sink('s', { state: 'failing', lag: 5000 })] }],
  ['warn: sink s 5,000 behind', { sinks: [sink('t'), sink('s', { lag: 5000 })] }],
  ['ok: 1 sink up to date', { sinks: [sink('s', { lag: 1000 })] }],
  [
    'bad: sink s refuses, 1 more in trouble',
    { sinks: [sink('t', { deadLetters: 1 }), sink('s', { state: 'refused' })] },
  ],
  ['warn: sink t 1 dead letter', { sinks: [sink('t', { deadLetters: 1 })] }],
  ['warn: 1 shot missed', { audits: [audit({ missed: 1 })] }],
  [
    'bad: 2 shots missed, audit doubtful: a.com',
    { audits: [audit({ missed: 2, state: 'doubtful' })] },
  ],
  ['warn: audit not permitted: a.com', { audits: [audit({ state: 'not_permitted' })] }],
  ['unknown: audit off', { audits: [audit({ state: 'off' })] }],
  ['bad: store fails: disk full', { storeFailing: 'disk full' }],
  ['warn: store 80 % used', { storeUsed: 800 }],
  ['bad: store 95 % used', { storeUsed: 950 }],
  ['ok: store under 1 % used', { storeUsed: 1 }],
  ['ok: store 120 B', { storeMax: null }],
])('%s', (expected, over) => {
  expect(line(over)).toContain(expected)
})

test('callbacks per minute come from two numbers and the time between them', () => {
  const rate = createRate()
  rate.note(0, 100)
  expect(rate.perMinute()).toBeNull()
  rate.note(30_000, 130)
  expect(rate.perMinute()).toBe(60)
  rate.note(60_000, 160)
  rate.note(90_000, 160)
  rate.note(120_000, 160)
  expect(rate.perMinute()).toBe(0)
})

test('a log that begins anew is reckoned anew', () => {
  const rate = createRate()
  rate.note(0, 1000)
  rate.note(20_000, 10)
  expect(rate.perMinute()).toBeNull()
  rate.note(40_000, 30)
  expect(rate.perMinute()).toBe(60)
})

test('an empty wall says what it lacks', () => {
  expect(emptyState([])).toBe('waiting')
  expect(emptyState([registration('a.com')])).toBe('silent')
  expect(emptyState([registration('a.com'), registration('b.com', 'pending')])).toBe('pending')
  expect(emptyState([registration('a.com', 'pending'), registration('b.com', 'failed')])).toBe(
    'wrong',
  )
})

test('why there is no picture', () => {
  const problem = { status: 404, title: 'Pictures are off', detail: 'Set SNAPHOOK_IMAGES.' }
  expect(noPicture('refused', problem)).toEqual({
    short: 'Pictures are off',
    long: 'Set SNAPHOOK_IMAGES.',
  })
  expect(noPicture('refused').short).toBe('bucket refused')
  expect(noPicture('slow').short).toBe('picture is slow')
})
