// A process that dies before or after any call to its store or to the provider, in each change of a
// registration: every step of it, on both sides, all of them. The real process and kill -9 are in
// `test/e2e/registration/crash.test.ts`.
import { expect, test } from 'vitest'
import { notifyKey } from '../../../src/core/keys/notify-key.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { createSteps, type Side, type Step } from '../../support/registration/steps.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import {
  DOMAIN,
  ELSEWHERE,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  NEW,
  OUR_URL,
  registration,
} from './registration-fixture.ts'

const NEXT = notifyKey(NEW, DOMAIN, 1)
const FORMER = 'https://former.example.com'
const NEVER = new Promise<never>(() => {})
const SIDES: readonly Side[] = ['before', 'after']

type Over = NonNullable<Parameters<typeof registration>[0]>
type It = Awaited<ReturnType<typeof registration>>
type Change = {
  readonly name: string
  /** Settings of the process that makes the change, and of those after it. */
  readonly over?: Over
  /** Of the service that was there before it, which had registered itself; null: there was none. */
  readonly before: Over | null
  readonly edit?: (it: Pick<It, 'set'>) => void
  readonly rotate?: true
  /** With which key the push signs that began before. */
  readonly early: string | null
  readonly keys: readonly string[]
  readonly writes: readonly number[]
}

const rotation = { rotate: true, before: {}, writes: [0, 1] } as const
const CHANGES: readonly Change[] = [
  { name: 'create', before: null, early: null, keys: [KEY], writes: [1] },
  { name: 'rotate', ...rotation, early: KEY, keys: [KEY, NEXT] },
  {
    name: 'rotate from a key set by hand',
    ...rotation,
    edit: ({ set }) => set(OUR_URL, FOREIGN),
    early: FOREIGN,
    keys: [FOREIGN, NEXT],
  },
  {
    name: 'takeover',
    over: { takeover: true },
    before: null,
    edit: ({ set }) => set(ELSEWHERE, FOREIGN),
    early: FOREIGN,
    keys: [KEY],
    writes: [1],
  },
  {
    name: 'repair of authentication',
    before: {},
    edit: ({ set }) => set(OUR_URL, FOREIGN, false),
    early: FOREIGN,
    keys: [FOREIGN],
    writes: [1],
  },
  {
    name: 'repair of a former URL',
    before: { publicUrls: [FORMER] },
    edit: ({ set }) => set(`${FORMER}/callbacks/${DOMAIN}`, FOREIGN),
    early: FOREIGN,
    keys: [FOREIGN],
    writes: [1],
  },
]

test.each(CHANGES)('at every step of: $name', async (change) => {
  const alive = await live(change, null)
  const steps = alive.taken.slice(
    0,
    alive.taken.findLastIndex((step) => /^saveRing/.test(step)) + 1,
  )
  expect(steps.length).toBeGreaterThan(5)
  for (const step of steps) for (const side of SIDES) await survives(change, step, side)
})

/** The change from its beginning, up to a death or to its end. */
async function live(change: Change, death: { step: Step; side: Side } | null) {
  const clock = manualClock(undefined, 1)
  const provider = fakeApi(clock.now)
  const store = memoryStore()
  const world = { ...change.over, clock, provider, store, alone: true }
  if (change.before) {
    await using before = await registration({ ...world, ...change.before })
    await before.start()
  }
  const set = (url: string, key: string | null, auth = true) =>
    provider.configurations.set(DOMAIN, { kind: 'present', url, auth, key })
  change.edit?.({ set })
  const taken: Step[] = []
  const writesBefore = writesTo(provider)
  let isDead = false
  const steps = createSteps((step, side) => {
    if (side === 'before' && !isDead) taken.push(step)
    if (step === death?.step && side === death.side) isDead = true
    return isDead ? NEVER : undefined
  })
  // One that dies as it starts never ends to start.
  void registration({ ...world, steps }).then((mortal) => {
    if (change.rotate) mortal.registrar.rotate(DOMAIN)
    return mortal.start()
  })
  await clock.advance(0)
  return { world, taken, isDead, writesBefore }
}

async function survives(change: Change, step: Step, side: Side): Promise<void> {
  const label = `${side} ${step}`
  const { world, isDead, writesBefore } = await live(change, { step, side })
  expect(isDead, label).toBe(true)
  const { provider, clock } = world
  const pushed = [change.early, keyInForce(provider)].filter((key) => key !== null)
  {
    await using next = await registration(world)
    // They come before the first look: perhaps they are to come again, but none is refused.
    const early = pushed.map((key) => next.callback(key))
    await next.start()
    expect(await Promise.all(early), label).not.toContain('bad_signature')
    await clock.advance(1_000)
    expect(next.view(), label).toMatchObject({ state: 'in_sync', detail: null, keyKnown: true })
    expect(next.configured(), label).toMatchObject({ url: OUR_URL, auth: true })
    expect(change.keys, label).toContain(keyInForce(provider))
    for (const key of [...pushed, keyInForce(provider) ?? '']) {
      expect(['accepted', 'duplicate'], label).toContain(await next.callback(key))
    }
  }
  expect(change.writes, label).toContain(writesTo(provider) - writesBefore)
  const writes = writesTo(provider)
  await using again = await registration(world)
  await again.start()
  await clock.advance(INTERVAL_MS)
  expect(writesTo(provider), label).toBe(writes)
}

function keyInForce({ configurations }: ReturnType<typeof fakeApi>): string | null {
  const now = configurations.get(DOMAIN)
  return now?.kind === 'present' && now.auth ? now.key : null
}

function writesTo(provider: ReturnType<typeof fakeApi>): number {
  return provider.count('add') + provider.count('update')
}
