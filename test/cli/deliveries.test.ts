// `replay` and `dead-letters`: what a sink gets again.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/app/system-clock.ts'
import { eventOf } from '../support/store/store-events.ts'
import { openStore } from '../support/store/store-fixtures.ts'
import { DOMAIN, folder, overrides, run, settings, setUp } from './fixture.ts'

setUp()

describe('replay', () => {
  test('is asked for, shown by status, and called off', async () => {
    const store = await openStore(join(folder, 'snaphook.db'))
    for (const n of [1, 2, 3]) await store.append(eventOf(n))
    await store.advanceCursor('stdout', 3)
    const narrow = ['--since', '2026-01-31', '--until', '2026-01-31T08:00:00.5', '--stream', 'a/b']
    const asked = await run(['replay', '--sink', 'stdout', '--domain', 'd', ...narrow])
    expect([asked.code, asked.printed()]).toEqual([0, expect.stringContaining('replay 1: by the')])
    expect(asked.errors()).toContain('d is not in the settings')
    expect(await store.nextReplay('stdout')).toMatchObject({
      id: 1,
      since: Date.parse('2026-01-31T00:00Z'),
      until: Date.parse('2026-01-31T08:00:00.500Z'),
      domain: 'd',
      stream: 'a/b',
      lastSeq: 3,
    })
    expect((await run(['status'])).printed()).toMatch(/^1 +stdout +under_way +\S+ +0 +0 +3$/m)
    const cancelled = await run(['replay', '--cancel', '1', '--json'])
    expect([cancelled.code, cancelled.printed()]).toEqual([0, '{"cancelled":true}'])
    expect(await store.nextReplay('stdout')).toBeNull()
    expect((await run(['replay', '--cancel', '1'])).code).toBe(1)
    expect((await run(['status'])).printed()).toMatch(/^1 +stdout +cancelled /m)
    const clock = { ...systemClock, now: () => 10_000_000 }
    const later = { overrides: { ...overrides, clock } }
    const since = ['--sink', 'stdout', '--since', '2h', '--domain', DOMAIN.toUpperCase()]
    const again = await run(['replay', ...since, '--json'], settings(), later)
    expect([again.printed(), again.errors()]).toEqual(['{"replay":2}', ''])
    expect(await store.nextReplay('stdout')).toMatchObject({ since: 2_800_000, domain: DOMAIN })
  })

  test('of nothing where there is no store: exit 1, and none is made', async () => {
    const { code, errors } = await run(['replay', '--sink', 'stdout'])
    expect([code, errors()]).toEqual([1, expect.stringContaining('no store')])
    expect((await run(['replay', '--cancel', '1'])).code).toBe(1)
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    [[]],
    [['--sink', 'stdout', '--cancel', '1']],
    [['--cancel', 'x']],
    [['--sink', 'unknown']],
    [['--sink', 'stdout', '--since', 'yesterday']],
    [['--sink', 'stdout', '--since', '2026-13-01']],
    [['--sink', 'stdout', '--since', '1h', '--until', '2h']],
  ])('%j: wrong usage', async (args) => {
    const { code, errors } = await run(['replay', ...args])
    expect(code).toBe(64)
    expect(errors()).toContain('error:')
  })
})

describe('dead-letters', () => {
  async function withLetters() {
    const store = await openStore(join(folder, 'snaphook.db'))
    const rejected = [1, 2, 3].map((n) => {
      const reason = 'answered 422'
      return { event: { ...eventOf(n), seq: n }, reason, attempts: 1 }
    })
    await store.advanceCursor('stdout', 3, rejected)
    await store.advanceCursor('gone', 1, rejected.slice(0, 1))
    return store
  }
  const list = async (...args: string[]) =>
    JSON.parse((await run(['dead-letters', 'list', '--json', ...args])).printed())

  test('are listed, with their events', async () => {
    await withLetters()
    const { code, printed } = await run(['dead-letters', 'list', '--limit', '2'])
    expect(code).toBe(0)
    expect(printed()).toMatch(/^gone +1 .* answered 422$/m)
    expect(printed()).toContain('2 of 4')
    const { total, letters } = await list('--sink', 'stdout')
    expect(total).toBe(3)
    expect(letters).toHaveLength(3)
    expect(letters[1]).toMatchObject({
      sink: 'stdout',
      seq: 2,
      reason: 'answered 422',
      retryRequested: false,
      event: { id: eventOf(2).id, data: { raw: '{"n":2}' } },
    })
  })

  test('are marked and dropped: some of a sink, those of a sink, or all', async () => {
    const store = await withLetters()
    const act = async (...args: string[]) => (await run(['dead-letters', ...args])).printed()
    expect(await act('retry', '--sink', 'stdout', '--seq', '1', '3')).toContain('2 to be tried')
    const query = { sink: 'stdout', retryRequested: true, limit: 9 }
    expect((await store.readDeadLetters(query)).map(({ event }) => event.seq)).toEqual([1, 3])
    expect((await run(['dead-letters', 'list'])).printed()).toContain('to be tried again')
    const removed = await run(['dead-letters', 'retry', '--sink', 'gone'])
    expect(removed.errors()).toContain('no sink gone is in the settings')
    expect(await act('drop', '--sink', 'stdout', '--seq', '2', '--json')).toBe('{"drop":1}')
    expect(await act('drop', '--all')).toBe('3 dropped')
    expect(await act('list')).toBe('no dead letters')
  })

  test('show what has expired, until it is dropped', async () => {
    const store = await withLetters()
    for (const n of [1, 2, 3, 4, 5]) await store.append(eventOf(n))
    const old = {
      anyBefore: eventOf(9).receivedAt,
      deliveredBefore: 0,
      maxBytes: 1e12,
      limit: 9,
      at: 0,
    }
    await store.prune({ ...old, sinks: ['stdout'] })
    expect((await run(['dead-letters', 'list'])).printed()).toMatch(
      /^stdout +4 to 5 +2 +1970\S+ +expired$/m,
    )
    const range = { sink: 'stdout', reason: 'expired', fromSeq: 4, toSeq: 5, count: 2 }
    // One that is not in the settings any more missed more of them.
    const others = [{ sink: 'gone', fromSeq: 2, toSeq: 5, count: 4 }]
    expect((await list()).ranges).toMatchObject([...others, range])
    expect((await list('--sink', 'gone')).ranges).toMatchObject(others)
    await run(['dead-letters', 'drop', '--sink', 'stdout', '--seq', '1'])
    const retry = await run(['dead-letters', 'retry', '--sink', 'stdout', '--seq', '99'])
    expect([retry.code, retry.printed()]).toEqual([
      0,
      'nothing to retry: there is no such dead letter',
    ])
    expect((await list('--sink', 'stdout')).ranges).toMatchObject([range])
    expect((await run(['dead-letters', 'drop', '--sink', 'stdout'])).printed()).toBe('3 dropped')
    expect((await list()).ranges).toMatchObject(others)
  })

  test('no store is said, which is not the same as no dead letters, and none is made', async () => {
    for (const action of [['list'], ['retry', '--all'], ['drop', '--all']]) {
      const { code, printed, errors } = await run(['dead-letters', ...action])
      expect([code, printed()]).toEqual([1, ''])
      expect(errors()).toMatch(/there is no store at .* yet: serve makes it/)
    }
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    ['retry'],
    ['drop'],
    ['drop', '--sink', 'stdout', '--all'],
    ['drop', '--seq', '1', '--all'],
    ['list', '--limit', '0'],
    ['list', '--sink', 'stdout', '--seq', 'x'],
    ['list', '--sink', 'stdout', '--seq', '1'],
    ['list', '--all'],
    ['burn'],
  ])('%s %s %s: wrong usage', async (...args) => {
    const { code, errors } = await run(['dead-letters', ...args])
    expect(code).toBe(64)
    expect(errors()).toContain('error:')
  })

  test('status tells how many, and of sinks that are no longer in the settings', async () => {
    await withLetters()
    const { printed } = await run(['status'])
    expect(printed()).toMatch(/^stdout +-?\d+ +3$/m)
    expect(printed()).toMatch(/^gone +-?\d+ +1 +not in the settings/m)
  })
})
