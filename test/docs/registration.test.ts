// The tables of the machine of registration leave nothing out: whatever random histories show has a row.
// That each row is as the code has it, `pages.test.ts` checks.
import { expect, test } from 'vitest'
import { BY_THEMSELVES, followed, ROWS, run } from '../../docs/registration-rows.ts'
import type { Event } from '../../src/core/registration/events.ts'
import type { DomainState } from '../../src/core/registration/state.ts'
import { createWorld } from '../core/registration/machine-world.ts'
import { chanceFrom } from '../core/registration/random.ts'

const HISTORIES = 3_000
const EVENTS = 60

/** What happened, as far as rows tell it apart. */
function transition(before: DomainState, { kind }: Event, after: DomainState): string {
  if (BY_THEMSELVES.has(kind) && !after.isWanted) return `${kind}: no look`
  if (BY_THEMSELVES.has(kind)) return `${kind}: a look, ${before.phase.kind === 'resting'}`
  // Whatever may follow what it was for, or may have been under way.
  if (kind === 'outrun' || kind === 'started') return kind
  return `${before.phase.kind} ${kind}: ${followed(after)}`
}

test('every transition that there is has a row', () => {
  const rows = ROWS.map(run).map(({ before, event, outcome }) =>
    transition(before, event, outcome.state),
  )
  const seen = new Set<string>()
  for (let number = 0; number < HISTORIES; number += 1) {
    const world = createWorld(chanceFrom(number), null, ({ before, event, after }) => {
      // Of a look that was asked for meanwhile only the asking has a row.
      if (!before.isWanted) seen.add(transition(before, event, after))
    })
    for (let count = 0; count < EVENTS; count += 1) world.happen()
  }
  expect([...seen].filter((each) => !rows.includes(each)).toSorted()).toEqual([])
  expect(rows.filter((each) => !seen.has(each))).toEqual([])
})
