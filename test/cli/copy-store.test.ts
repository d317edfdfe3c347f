// How `copy-store` is asked for, and what it says.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import { manualClock } from '../support/flows/manual-clock.ts'
import { testShell } from '../support/service/test-shell.ts'
import { eventOf, range } from '../support/store/store-events.ts'
import { openStore, temporaryFolder } from '../support/store/store-fixtures.ts'

async function run(args: readonly string[], env: Record<string, string> = {}, over = {}) {
  const it = testShell(env, over)
  const code = await runCli(['copy-store', ...args], it.shell)
  return { code, printed: it.printed(), errors: it.errors() }
}

async function sourceIn(folder: string): Promise<string> {
  const path = join(folder, 'from.db')
  const store = await openStore(path)
  for (const n of range(9)) await store.append(eventOf(n))
  await store.advanceCursor('hook', 7)
  await store.close()
  return path
}

test.each<[args: string[], problem: RegExp]>([
  [[], /^error: one of --from and --to is needed/],
  [['--from', 'redis://x'], /^error: option --from must be sqlite:PATH/],
  [['--from', 'sqlite:x', '--to', 'sqlite:x'], /^error: option --to must be another store/],
  [['--to', 'postgres://me:secret@x/y?z=1'], /^error: option --to knows no parameter "z"/],
])('%j is refused as usage, without being repeated', async (args, problem) => {
  const { code, errors } = await run(args)
  expect(errors).toMatch(problem)
  expect([code, errors.includes('secret')]).toEqual([64, false])
})

test('the other store is that of the settings, if they are right', async () => {
  const folder = temporaryFolder()
  const from = await sourceIn(folder)
  const wrong = await run(['--from', `sqlite:${from}`], { SNAPHOOK_STORE: 'file:x' })
  expect(wrong).toMatchObject({ code: 78, errors: expect.stringContaining('SNAPHOOK_STORE must') })
  const env = { SNAPHOOK_STORE: `sqlite:${join(folder, 'to.db')}` }
  const done = await run(['--from', `sqlite:${from}`, '--events'], env)
  expect(done).toMatchObject({ code: 0, errors: '' })
  expect(done.printed).toContain(
    `copied to ${join(folder, 'to.db')}: 9 events, 1 streams, 1 tallies, 1 cursors`,
  )
  expect(done.printed).toContain('SNAPHOOK_SECRET')
  expect((await run(['--from', `sqlite:${from}`, '--events'], env)).printed).toMatch(
    /was copied at .*Z; nothing was to do/,
  )
})

test('what can not be copied: exit 1, one sentence, and nothing is made', async () => {
  const folder = temporaryFolder()
  const from = await sourceIn(folder)
  const there = ['--to', `sqlite:${from}`]
  const away = join(folder, 'away.db')
  const missing = await run([
    '--from',
    `sqlite:${away}`,
    '--to',
    `sqlite:${join(folder, 'new.db')}`,
  ])
  expect(missing.code).toBe(1)
  expect(missing.errors).toMatch(/^snaphook: .*away\.db.*\n?$/)
  expect(existsSync(away)).toBe(false)
  const other = join(folder, 'other.db')
  await (await openStore(other)).close()
  const full = await run(['--from', `sqlite:${other}`, ...there])
  expect(full).toMatchObject({ code: 1, printed: '' })
  expect(full.errors).toMatch(/^snaphook: .*from\.db is not empty: name another one.*\n?$/)
})

test('what stays behind without the log is said, and JSON has the same', async () => {
  const folder = temporaryFolder()
  const from = await sourceIn(folder)
  const to = (name: string) => ['--from', `sqlite:${from}`, '--to', `sqlite:${join(folder, name)}`]
  const { printed } = await run(to('a.db'))
  expect(printed).toContain(`sink hook has not had 2 events, which stay in ${from}`)
  const { code, printed: json } = await run([...to('b.db'), '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(json)).toMatchObject({
    isKnown: false,
    copied: { cursors: 1 },
    left: { hook: 2 },
  })
})

test('progress is shown on standard error, and a copy that is stopped says how to go on', async () => {
  const folder = temporaryFolder()
  const from = await sourceIn(folder)
  const args = ['--events', '--from', `sqlite:${from}`, '--to', `sqlite:${join(folder, 'to.db')}`]
  const clock = manualClock()
  let elapsed = 0
  const slow = { ...clock, elapsed: () => (elapsed += 3_000) }
  const stopping = new AbortController()
  const stopped = testShell({}, { signal: stopping.signal, overrides: { clock: slow } })
  const error = (text: string) => {
    stopped.shell.error(text)
    if (text.startsWith('events')) stopping.abort()
  }
  expect(await runCli(['copy-store', ...args], { ...stopped.shell, error })).toBe(1)
  expect(stopped.errors().split('\n')).toEqual([
    'events: 9 of 9 (100 %)',
    'snaphook: stopped; run it again to go on',
  ])
  expect((await run(args)).printed).toContain('9 events')
})
