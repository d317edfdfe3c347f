// The machine of one domain through up to a hundred thousand random histories. A failure prints the
// seed and the number of its history.
import { describe, expect, test } from 'vitest'
import { ROWS, run } from '../../../docs/registration-rows.ts'
import { EMPTY_RING } from '../../../src/core/keys/key-ring.ts'
import type { Event } from '../../../src/core/registration/events.ts'
import { next } from '../../../src/core/registration/machine.ts'
import { type DomainState, detailOf, type Phase } from '../../../src/core/registration/state.ts'
import { rounds } from '../../support/rounds.ts'
import { SEED } from '../../support/seed.ts'
import { createWorld, INTERVAL_MS, type World } from './machine-world.ts'
import { chanceFrom } from './random.ts'
import { URL_ } from './situations.ts'

const HISTORIES = rounds(100_000)
const MAX_EVENTS = 20
/** It takes three rounds until a contest is noticed. */
const MAX_EVENTS_WITH_RIVAL = 70
const HOUR_MS = 3_600_000

function live(number: number, trace: string[] | null): void {
  const chance = chanceFrom(SEED + number)
  const world = createWorld(chance, trace)
  const events = chance.below(world.hasRival ? MAX_EVENTS_WITH_RIVAL : MAX_EVENTS)
  for (let count = 0; count < events; count += 1) world.happen()
  trace?.push('calm')
  world.calm()
  comesToRest(world)
}

/** Once nobody interferes, it ends with what is promised, and then writes nothing any more. */
function comesToRest(world: World): void {
  goOn(world, 3 * INTERVAL_MS)
  if (world.state().state === 'contested') goOn(world, 3 * HOUR_MS)
  const writes = world.writes()
  const { state, detail } = world.state()
  const found = world.found()
  const isOurs = found.kind === 'present' && found.url === URL_ && found.auth
  if (world.stored().released) expect(state).toBe('released')
  else if (isOurs) expect(state).toBe('in_sync')
  else expect([state, world.takeover, detail !== null]).toEqual(['conflict', false, true])
  goOn(world, INTERVAL_MS)
  if (world.keyMaxAgeMs === undefined) expect(world.writes(), 'writes go on').toBe(writes)
}

function goOn(world: World, ms: number): void {
  for (const end = world.clock() + ms; world.clock() < end; ) world.answer()
}

// All of them take ten seconds of one processor; a busy machine gives it less.
test(`keeps every promise, in ${HISTORIES} random histories`, { timeout: 300_000 }, () => {
  for (let number = 0; number < HISTORIES; number += 1) {
    try {
      live(number, null)
    } catch (error) {
      const story: string[] = []
      try {
        live(number, story)
      } catch {}
      const told = `seed ${SEED}, history ${number}:\n${story.join('\n')}`
      throw new Error(told, { cause: error })
    }
  }
})

describe('an event that answers nothing is a mistake of whoever sends it', () => {
  const failed: Event = {
    kind: 'failed',
    fault: { kind: 'passing', problem: 'x', mayHaveTakenEffect: false },
  }
  const phases = new Map(ROWS.map(run).map(({ before }) => [before.phase.kind, before]))

  test.each<[string, Event]>([
    ['resting', { kind: 'saved' }],
    ['resting', failed],
    ['reading', { kind: 'written' }],
    ['describing', { kind: 'saved' }],
    ['saving', { kind: 'due' }],
    ['writing', { kind: 'saved' }],
  ])('while %s: %j', (phase, event) => {
    const state = phases.get(phase as Phase['kind']) as DomainState
    const now = { now: 0, receiving: 0, elapsed: 0, random: 0, ring: EMPTY_RING }
    expect(() => next(state, event, now)).toThrow(TypeError)
  })
})

test('a detail holds what is wrong, and what keeps us from looking', () => {
  const [state] = ROWS.map(run).map(({ before }) => before)
  const detail = (over: Partial<DomainState>) => detailOf({ ...(state as DomainState), ...over })
  expect(detail({})).toBeNull()
  expect(detail({ detail: 'a' })).toBe('a')
  expect(detail({ detail: 'a', lookProblem: 'b' })).toBe('a; b')
})
