// A comparison is in no hurry: it rests after each piece of work, and work that holds the event loop
// comes in small pieces.
import { expect, test } from 'vitest'
import type { Push } from '../../../src/core/audit/shots.ts'
import { eventId } from '../../../src/core/events/snapshot-event.ts'
import { compare } from '../../../src/flows/audit/compare.ts'
import { createIntervals } from '../../../src/flows/audit/intervals.ts'
import { createPace } from '../../../src/flows/audit/pace.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { DOMAIN } from './fixture.ts'

const never = new AbortController().signal

/** A clock that goes on by so much whenever it is looked at, and notes how long others slept. */
function tickingClock(tickMs: number) {
  const slept: number[] = []
  let elapsed = 0
  const clock = {
    now: Date.now,
    elapsed() {
      elapsed += tickMs
      return elapsed
    },
    async sleep(ms: number) {
      slept.push(ms)
      elapsed += ms
    },
  }
  return { clock, slept }
}

test('it rests 24 times as long as the store was at work, but for what it waited in a queue', async () => {
  const { clock, slept } = tickingClock(10)
  const pace = createPace(clock, never)
  pace.begin()
  await pace.after(0.004)
  pace.begin()
  await pace.after(5)
  expect(slept).toEqual([24 * 4, 24 * 10])
})

test('its own work holds the event loop for four milliseconds, and then rests', async () => {
  const { clock, slept } = tickingClock(1)
  const pace = createPace(clock, never)
  pace.begin()
  for (let part = 0; part < 8; part += 1) await pace.turn()
  expect(slept).toEqual([24 * 4, 24 * 4])
  const hurried = createPace(undefined, never)
  await hurried.turn()
  await hurried.after(1)
})

test('each part of a comparison of many streams gives way', async () => {
  const streams = 100
  const store = memoryStore()
  const at = Date.parse('2026-01-02T03:00:00Z')
  const range = { from: at, until: at + 60_000 }
  const pushes: Push[] = []
  for (let stream = 0; stream < streams; stream += 1) {
    pushes.push({ app: 'live', stream: `s${stream}`, from: at - 1, until: null })
    for (let shot = at; shot < range.until; shot += 5_000) {
      const name = { AppName: 'live', StreamName: `s${stream}`, OssObject: `${stream}/${shot}.jpg` }
      const body = Buffer.from(JSON.stringify({ ...name, CreateTimestamp: shot }))
      const id = eventId({ domain: DOMAIN, body, signedAt: null })
      await store.append({
        ...{ id, domain: DOMAIN, origin: 'callback', body, receivedAt: shot, occurredAt: shot },
      })
    }
  }
  const { clock, slept } = tickingClock(2)
  const lists = { pushes: async () => pushes, shots: async () => [] }
  const deps = { store, lists, intervals: createIntervals(), clock }
  await compare(deps, { domain: DOMAIN, range, pushes }, never)
  // A look at the clock for each stream in each of three parts, two of which make a pause; and one
  // for what is read.
  const whole = slept.filter((ms) => ms === 24 * 4)
  expect(whole.length).toBeGreaterThanOrEqual((3 * streams) / 2)
})
