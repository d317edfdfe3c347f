// What somebody has asked to be filled, step by step, while the audit itself is off.
import { expect, test } from 'vitest'
import { DOMAIN, HOUR, MINUTE, setUp, stream } from './fixture.ts'

/** Fifty minutes of shots of which every tenth was lost, and what asks for them. */
async function timeWithLosses() {
  const { world, one } = setUp({ isOff: true })
  world.push('door')
  const from = world.clock.now()
  await stream(world, ['door'], 50 * MINUTE, async (shot, n) => {
    if (n % 10 !== 3) await one.arrive(shot)
  })
  const until = world.clock.now() + 1
  await world.clock.advance(10 * MINUTE)
  const ask = (request: { stream?: string; domain?: string } = {}) =>
    one.store.requestBackfill({ domain: DOMAIN, stream: null, from, until, ...request })
  const shown = async (ofDomain = DOMAIN) =>
    (await one.store.listBackfills()).find(({ domain }) => domain === ofDomain)
  const told = () =>
    one.log.lines.map(({ message }) => message).filter((line) => line.startsWith('backfill'))
  return { world, one, ask, shown, told }
}

test('what was lost is filled, and its begin and end are logged', async () => {
  const { world, one, ask, shown, told } = await timeWithLosses()
  await ask()
  await world.clock.advance(5 * MINUTE)
  expect(await shown()).toMatchObject({ listed: 600, missed: 60, filled: 60, problem: null })
  expect((await shown())?.endedAt).not.toBeNull()
  expect(await one.found()).toHaveLength(60)
  expect(told()).toEqual(['backfill begins', 'backfill is done'])
  await one.stop()
})

test('a provider that fails is named, once, until it goes on', async () => {
  const { world, one, ask, shown, told } = await timeWithLosses()
  world.lists.faults.push({ code: 'api_unavailable', times: 3 })
  await ask()
  await world.clock.advance(1_000)
  const problem = 'the provider fails (api_unavailable)'
  expect(await shown()).toMatchObject({ problem, filled: 0, endedAt: null })
  await world.clock.advance(10 * MINUTE)
  expect(await shown()).toMatchObject({ problem: null, filled: 60 })
  expect(told()).toEqual([
    'backfill begins',
    'backfill does not get on; it is tried again',
    'backfill is done',
  ])
  await one.stop()
})

test('without the permission it is tried once an hour', async () => {
  const { world, one, ask, shown } = await timeWithLosses()
  world.lists.faults.push({ code: 'api_denied', times: 1 })
  await ask()
  await world.clock.advance(59 * MINUTE)
  expect(world.lists.calls).toHaveLength(1)
  expect(await shown()).toMatchObject({ endedAt: null })
  await world.clock.advance(5 * MINUTE)
  expect(await shown()).toMatchObject({ filled: 60, problem: null })
  await one.stop()
})

test('called off while it waits: nothing more is asked for, and the next one has its turn', async () => {
  const { world, one, ask, shown } = await timeWithLosses()
  world.lists.faults.push({ code: 'api_denied', times: 1 })
  const first = await ask()
  await ask({ stream: 'nobody' })
  await world.clock.advance(MINUTE)
  expect(await one.store.cancelBackfill(first)).toBe(true)
  await world.clock.advance(2 * HOUR)
  expect(await shown()).toMatchObject({ stream: 'nobody', listed: 0, missed: 0 })
  expect((await shown())?.endedAt).not.toBeNull()
  expect(await one.found()).toEqual([])
  await one.stop()
})

test('that of a domain which is no longer in the settings holds up no other', async () => {
  const { world, one, ask, shown } = await timeWithLosses()
  await ask({ domain: 'former.example.com' })
  await ask()
  await world.clock.advance(5 * MINUTE)
  expect(await shown()).toMatchObject({ filled: 60 })
  expect(await shown('former.example.com')).toMatchObject({ endedAt: null, listed: 0 })
  await one.stop()
})
