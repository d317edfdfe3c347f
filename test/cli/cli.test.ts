// The command line as a whole: which commands there are, help, bad settings, and the small commands.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createProgram, loadCommands, runCli } from '../../src/cli/cli.ts'
import type { Shell } from '../../src/cli/shell.ts'
import { testShell } from '../support/service/test-shell.ts'
import { until } from '../support/until.ts'
import { DOMAIN, folder, run, settings, setUp } from './fixture.ts'

setUp()

describe('the list of commands', () => {
  const namesOf = async (name?: string) =>
    createProgram(await loadCommands(name), {} as Shell, () => undefined).commands.map((each) =>
      each.name(),
    )

  test('has each command under its own name, and loads it alone', async () => {
    const all = await namesOf()
    expect(all.length).toBeGreaterThan(15)
    for (const name of all) expect(await namesOf(name)).toEqual([name])
  })

  test.each(['statsu', '--help', 'help', 'constructor'])('has all of them for %s', async (name) => {
    expect(await namesOf(name)).toEqual(await namesOf())
  })

  test('an unknown one is named, with the nearest', async () => {
    const { code, errors } = await run(['statsu'])
    expect(code).toBe(64)
    expect(errors()).toContain("unknown command 'statsu'\n(Did you mean status?)")
  })
})

describe('the rest', () => {
  test('token prints a JWT, or what is missing', async () => {
    const { code, printed } = await run(['token'], { SNAPHOOK_API_SECRET: 'x'.repeat(32) } as never)
    expect(code).toBe(0)
    expect(printed()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    const missing = await run(['token'], {} as never)
    expect(missing.code).toBe(78)
    expect(missing.errors()).toContain('SNAPHOOK_API_SECRET is required')
  })

  test('bad settings exit 78 with every problem', async () => {
    const { code, errors } = await run(['serve'], { SNAPHOOK_FOO: 'x' } as never)
    expect(code).toBe(78)
    expect(errors()).toContain('3 problems')
    const one = await run(['plan'], settings({ SNAPHOOK_FOO: 'x' }))
    expect(one.errors()).toContain('one problem')
  })

  test.each([
    [['--help'], / {2}serve .* {2}plan .* {2}status .* {2}send .* {2}demo /s],
    [['--version'], /^\d+\.\d+\.\d+$/],
    [['help', 'serve'], /Usage: snaphook serve/],
    [['send', '--help'], /--url .*--key .*--timestamp .*--body .*--help /s],
  ])('%j exits 0', async (argv, says) => {
    const { code, printed, errors } = await run(argv)
    expect([code, errors()]).toEqual([0, ''])
    expect(printed()).toMatch(says)
  })

  test('emulator runs until it is stopped', async () => {
    const it = testShell()
    const running = runCli(
      ['emulator', '--listen', '127.0.0.1:0', '--domain', DOMAIN, '--streams', '2'],
      it.shell,
    )
    const url = await until('its URL', () => /http:\S+(?=,)/.exec(it.printed())?.[0])
    const state = (await (await fetch(`${url}/emulator/state`)).json()) as { pushes: unknown[] }
    expect(state.pushes).toHaveLength(2)
    it.stop()
    expect(await running).toBe(0)
  })

  test('demo prints where all is, and a line per event', async () => {
    const it = testShell({}, { overrides: {} })
    const running = runCli(['demo', '--store', join(folder, 'demo.db')], it.shell)
    await until('three streams', () =>
      ['stream-1', 'stream-2', 'stream-3'].every((name) =>
        new RegExp(`^${name}  live/${name}/\\S+\\.jpg  \\d+\\.\\d s old$`, 'm').test(it.printed()),
      ),
    )
    expect(it.printed()).toMatch(/^wall +http:\S+\/\n[\s\S]*\nmetrics +http:/)
    it.stop()
    expect(await running).toBe(0)
  })
})
