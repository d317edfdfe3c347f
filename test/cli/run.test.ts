// `serve`, `send` and `status`.

import { mkdir, readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import { testShell } from '../support/service/test-shell.ts'
import { until } from '../support/until.ts'
import {
  DOMAIN,
  emulator,
  folder,
  freePort,
  overrides,
  port,
  run,
  settings,
  setUp,
} from './fixture.ts'

setUp()

describe('serve', () => {
  test('a port that is taken: exit 1, one sentence, and everything is given back', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
    const place = `127.0.0.1:${port}`
    for (const listen of [{}, { SNAPHOOK_LISTEN: '127.0.0.1:0', SNAPHOOK_OPS_LISTEN: place }]) {
      const { code, errors } = await run(['serve'], settings(listen))
      expect(code).toBe(1)
      expect(errors()).toMatch(
        new RegExp(`^snaphook: Can't listen on ${place}: the address is in use[^\\n]*$`),
      )
    }
    expect(emulator.state().api.byOperation).toEqual({})
    await new Promise((resolve) => taken.close(resolve))
    expect((await run(['register'])).code).toBe(0)
  })

  test('a store that cannot be opened: exit 1, its path, and nothing is left beside it', async () => {
    const place = join(folder, 'store')
    await mkdir(place)
    const { code, errors } = await run(['serve'], settings({ SNAPHOOK_STORE: `sqlite:${place}` }))
    expect(code).toBe(1)
    expect(errors()).toContain(`The store ${place} is a folder: name a file in it.`)
    expect(errors().split('\n')).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['store'])
  })

  test('stopped while it waits for the lock: exit 0', async () => {
    const env = settings()
    const first = testShell(env, { overrides })
    const served = runCli(['serve'], first.shell)
    await until('the first listens', () => first.log.lines[0])
    const second = testShell(env, { overrides })
    const waiting = runCli(['serve'], second.shell)
    await until('it says for whom it waits', () =>
      second.log.lines.find(({ fields }) => /^process \d+ on /.test(String(fields.holder))),
    )
    second.stop()
    expect(await waiting).toBe(0)
    first.stop()
    expect(await served).toBe(0)
  })
})

describe('send', () => {
  test('posts what a service accepts; a wrong key is refused with exit 1', async () => {
    const serving = testShell(settings(), { overrides })
    const served = runCli(['serve'], serving.shell)
    const key = await until(
      'a key',
      () => emulator.state().configurations[DOMAIN]?.notify?.NotifyAuthKey,
    )
    const url = `http://127.0.0.1:${port}/callbacks/${DOMAIN}`
    const good = await run(['send', '--url', url, '--key', key])
    expect([good.code, good.printed()]).toEqual([0, '200 {"Code":0,"Msg":"Success"}'])
    await until('its event', () => serving.events.some((line) => line.includes('sent-by-hand')))
    expect((await run(['send', '--url', url, '--key', key, '--body', '-'])).code).toBe(0)
    const readBytes = async () => new TextEncoder().encode('{}')
    expect(
      (await run(['send', '--url', url, '--key', key, '--body', 'x'], {} as never, { readBytes }))
        .code,
    ).toBe(0)
    const keyFile = { readBytes: async () => new TextEncoder().encode(`${key}\n`) }
    const fromFile = ['send', '--url', url, '--key-file', 'key']
    expect((await run(fromFile, {} as never, keyFile)).code).toBe(0)
    const stale = await run(['send', '--url', url, '--key', key, '--timestamp', '1'])
    expect([stale.code, stale.printed()]).toEqual([1, '401 {"Code":401,"Msg":"Unauthorized"}'])
    serving.stop()
    await served
    const silent = await run(['send', '--url', url, '--key', key])
    expect(silent.code).toBe(1)
    expect(silent.errors()).toContain('ECONNREFUSED')
  })

  test.each([
    [['send', '--url', 'nonsense', '--key', 'k'], '--url'],
    [['send', '--url', 'http://127.0.0.1:9', '--key', 'k', '--body', 'missing'], '--body'],
    [['send', '--url', 'http://127.0.0.1:9', '--key', 'k', '--timestamp', '1\n2'], '--timestamp'],
    [['send', '--key', 'k'], '--url'],
    [['send', '--url', 'http://127.0.0.1:8080'], '--key'],
    [['send'], 'send needs --url <url> and --key <key> or --key-file <file>'],
    [['send', '--key', 'k', '--key-file', 'x'], 'give --key or --key-file, not both'],
    [['send', '--key-file', 'missing'], '--key-file must be a file that can be read'],
    [['send', '--key-file', '-', '--body', '-'], 'can not both come from standard input'],
    [['emulator', '--access-key-secret-file', 'missing'], '--access-key-secret-file must be'],
    [['send', '--url', 'http://127.0.0.1:6000', '--key', 'k'], 'must have another port than 6000'],
    [['token', '--ttl', '0s'], 'one second or more, such as 90s or 1h, not "0s"'],
    [['emulator', '--listen', 'x'], '--listen'],
    [['emulator', '--streams', 'many'], '--streams'],
    [['emulator', '--interval', '5'], '--interval'],
    [['register', '--timeout', 'x'], '--timeout'],
    [['token', '--ttl', 'x'], '--ttl'],
    [['plan', '--nonsense'], '--nonsense'],
    [['nonsense'], "unknown command 'nonsense'"],
    [['statsu'], 'Did you mean status?'],
    [['statsu', '--json'], "unknown command 'statsu'"],
    [['serve', 'twice'], 'too many arguments'],
  ])('wrong usage exits 64: %j', async (argv, named) => {
    const { code, errors } = await run(argv)
    expect(code).toBe(64)
    expect(errors()).toContain(named)
  })
})

describe('status', () => {
  test('before there is a store', async () => {
    const { code, printed } = await run(['status'])
    expect(code).toBe(0)
    expect(printed()).toContain('not there yet')
    expect(printed()).toContain('not running here')
  })

  test('of the store and of a running service', async () => {
    const opsPort = await freePort()
    const env = settings({ SNAPHOOK_OPS_LISTEN: `0.0.0.0:${opsPort}` })
    const serving = testShell(env, { overrides })
    const served = runCli([], serving.shell)
    await until('an event is handed on', () => serving.events[0])
    const table = await run(['status'], env)
    expect(table.printed()).toMatch(/play.example.com +http:\S+ +0 +\d+s ago +0$/m)
    expect(table.printed()).toMatch(/play.example.com +0 +current +\d+s +\d+s$/m)
    expect(table.printed()).toContain('service  ready; store ok')
    const json = JSON.parse((await run(['status', '--json'], env)).printed())
    expect(json).toMatchObject({
      store: {
        domains: [{ domain: DOMAIN, generation: 0, keys: [{ role: 'current' }], unsigned: 0 }],
        sinks: [{ name: 'stdout' }],
      },
      service: { ready: true, registrations: [{ state: 'in_sync' }] },
    })
    serving.stop()
    expect(await served).toBe(0)
    expect(serving.log.story()).toEqual([
      'listening',
      'the public URL is plain http: callbacks can be read and copied on their way',
      'nothing registered, creating it',
      'registered',
      'stopped',
    ])
  })
})
