import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/app/system-clock.ts'
import { createProgram, loadCommands, runCli } from '../../src/cli/cli.ts'
import type { Shell } from '../../src/cli/shell.ts'
import { EMPTY_RING } from '../../src/core/keys/key-ring.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { eventOf } from '../support/store-events.ts'
import { openStore } from '../support/store-fixtures.ts'
import { testShell } from '../support/test-shell.ts'
import { until } from '../support/until.ts'

const DOMAIN = 'play.example.com'
const ACCESS_KEY = { accessKeyId: 'cli', accessKeySecret: 'cli-secret' }
const overrides = { credentials: { getCredentials: async () => ACCESS_KEY } }

let folder: string
let emulator: Emulator
let port: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snaphook-cli-'))
  port = await freePort()
  emulator = await startEmulator({
    ...ACCESS_KEY,
    host: '127.0.0.1',
    port: 0,
    domains: [DOMAIN],
    streams: 1,
    intervalMs: 200,
  })
})

afterEach(async () => {
  await emulator.stop()
  await rm(folder, { recursive: true })
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

const settings = (over: Record<string, string> = {}) => ({
  SNAPHOOK_PUBLIC_URL: `http://127.0.0.1:${port}`,
  SNAPHOOK_DOMAINS: DOMAIN,
  SNAPHOOK_LISTEN: `127.0.0.1:${port}`,
  SNAPHOOK_OPS_LISTEN: '127.0.0.1:0',
  SNAPHOOK_STORE: `sqlite:${join(folder, 'snaphook.db')}`,
  SNAPHOOK_LIVE_ENDPOINT: emulator.url,
  ...over,
})

async function run(argv: string[], env = settings(), over: Partial<Shell> = {}) {
  const it = testShell(env, { overrides, ...over })
  const code = await runCli(argv, it.shell)
  return { ...it, code }
}

function configureElsewhere(over: Record<string, string> = {}): Promise<unknown> {
  // Whatever holds the domain is not ours: another service of snaphook, with a URL of its own.
  return run(
    ['register'],
    settings({
      SNAPHOOK_PUBLIC_URL: 'https://elsewhere.example.com',
      SNAPHOOK_STORE: `sqlite:${join(folder, 'elsewhere.db')}`,
      ...over,
    }),
  )
}

describe('plan', () => {
  test('says what would change, changes nothing, and exits 2; then 0', async () => {
    const before = await run(['plan'])
    expect(before.code).toBe(2)
    expect(before.printed()).toMatch(
      /DOMAIN +STEP +WHY\nplay.example.com +create +nothing is registered/,
    )
    expect(emulator.state().configurations[DOMAIN]?.notify).toBeNull()
    expect((await run(['register'])).code).toBe(0)
    const after = await run(['plan', '--json'])
    expect(after.code).toBe(0)
    expect(JSON.parse(after.printed())).toEqual([
      { domain: DOMAIN, step: 'in_sync', changes: false, why: 'registered' },
    ])
  })

  test('a conflict is a difference, and names the URL', async () => {
    await configureElsewhere()
    const { code, printed } = await run(['plan'])
    expect(code).toBe(2)
    expect(printed()).toContain('callbacks go to https://elsewhere.example.com/…;')
  })

  test('a key that serve would rotate by age is a difference', async () => {
    const env = settings({ SNAPHOOK_KEY_MAX_AGE: '1h' })
    await run(['register'], env)
    expect((await run(['plan'], env)).code).toBe(0)
    const now = () => Date.now() + 3_600_000
    const later = { overrides: { ...overrides, clock: { ...systemClock, now } } }
    const { code, printed } = await run(['plan', '--json'], env, later)
    expect(code).toBe(2)
    expect(JSON.parse(printed())).toMatchObject([{ step: 'rotate', changes: true }])
  })

  test('a registration that serve would not write, since it is contested, is named', async () => {
    const env = settings({ SNAPHOOK_ON_CONFLICT: 'takeover' })
    await run(['register'], env)
    const store = await openStore(join(folder, 'snaphook.db'))
    const { ring, revision } = (await store.loadRing(DOMAIN)) ?? { ring: EMPTY_RING, revision: 0 }
    const contest = { seenAt: [Date.now() - 2_000, Date.now() - 1_000], heldAt: null }
    await store.saveRing(DOMAIN, { ...ring, contest }, revision)
    expect((await run(['plan'], env)).code).toBe(0)
    await configureElsewhere({ SNAPHOOK_ON_CONFLICT: 'takeover' })
    const { code, printed } = await run(['plan'], env)
    expect(code).toBe(2)
    expect(printed()).toMatch(/contested .*callbacks go to https:\/\/elsewhere\.example\.com/)
  })

  test('a write that does not show yet is not promised once more', async () => {
    const store = await openStore(join(folder, 'snaphook.db'))
    await store.saveRing(DOMAIN, { ...EMPTY_RING, unseenSince: Date.now() - 60_000 }, 0)
    const { code, printed } = await run(['plan', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(printed())).toMatchObject([{ step: 'pending', changes: true }])
    await store.saveRing(DOMAIN, { ...EMPTY_RING, unseenSince: Date.now() - 301_000 }, 1)
    expect((await run(['plan'])).printed()).toContain('create')
  })

  test('exits 1 where the provider refuses', async () => {
    emulator.setFaults([{ operation: '*', fault: 'forbidden' }])
    const { code, printed } = await run(['plan'])
    expect(code).toBe(1)
    expect(printed()).toContain('failed')
    expect(printed()).toContain('ram-policy.json')
  })
})

describe('register', () => {
  test('does not touch what is not ours, and exits 1', async () => {
    await configureElsewhere()
    const { code, printed } = await run(['register', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(printed())).toMatchObject([{ domain: DOMAIN, state: 'conflict' }])
  })

  test('gives up in time', async () => {
    emulator.setFaults([{ operation: '*', fault: 'internal_error' }])
    const { code, printed } = await run(['register', '--timeout', '1s'])
    expect(code).toBe(1)
    expect(printed()).toContain('pending')
  })
})

describe('rotate', () => {
  test('replaces the key, and says which generation is in force', async () => {
    await run(['register'])
    const before = emulator.state().configurations[DOMAIN]?.notify?.NotifyAuthKey
    const { code, printed } = await run(['rotate', DOMAIN.toUpperCase()])
    expect(code).toBe(0)
    expect(printed()).toMatch(/play.example.com +in_sync +1 +http/)
    expect(emulator.state().configurations[DOMAIN]?.notify?.NotifyAuthKey).not.toBe(before)
    expect((await run(['rotate', '--json'])).code).toBe(0)
    expect((await run(['status'])).printed()).toMatch(/play.example.com +http:\S+ +2 +never +0$/m)
  })

  test('goes one generation where the write takes effect and the connection drops', async () => {
    await run(['register'])
    const operation = 'UpdateLiveSnapshotNotifyConfig'
    emulator.setFaults([{ operation, fault: 'applied_then_drop', times: 1 }])
    const { code, printed } = await run(['rotate'])
    expect(code).toBe(0)
    expect(printed()).toMatch(/play.example.com +in_sync +1 +http/)
  })

  test('knows only domains of the settings', async () => {
    const { code, errors } = await run(['rotate', 'not.ours'])
    expect(code).toBe(64)
    expect(errors()).toContain('not.ours')
  })
})

describe('deregister', () => {
  const configured = () => emulator.state().configurations[DOMAIN]?.notify ?? null

  test('deletes what is ours, and stays done beside a running service until register', async () => {
    const env = settings({ SNAPHOOK_RECONCILE_INTERVAL: '1s' })
    const serving = testShell(env, { overrides })
    const served = runCli(['serve'], serving.shell)
    await until('registered', () => serving.log.story().includes('registered'))
    const { code, printed } = await run(['deregister'], env)
    expect(code).toBe(0)
    expect(printed()).toMatch(/deleted; .*a replica with a store of its own/)
    await until('the service has followed', () =>
      serving.log.story().includes('registration released'),
    )
    expect(configured()).toBeNull()
    expect((await run(['deregister', '--json'], env)).printed()).toContain('nothing_there')
    expect((await run(['plan'], env)).printed()).toContain('released')
    expect((await run(['register'], env)).code).toBe(0)
    expect(configured()).not.toBeNull()
    await until('the service takes it up', () =>
      serving.log.story().includes('registration in sync'),
    )
    serving.stop()
    expect(await served).toBe(0)
  })

  test('deletes also what a running service has just written, and nobody can see yet', async () => {
    emulator.setSwitches({ describe_lag: '1h' })
    const env = settings()
    const serving = testShell(env, { overrides })
    const served = runCli(['serve'], serving.shell)
    await until('the write', configured)
    const command = testShell(env, { overrides })
    const deregistered = runCli(['deregister'], command.shell)
    await until('the command to wait', () => command.log.story().length > 0)
    expect(command.log.story()).toEqual([
      'nothing there yet, but a write is on its way: waiting until it shows',
    ])
    emulator.setSwitches({ describe_lag: '0s' })
    expect(await deregistered).toBe(0)
    expect(command.printed()).toContain('deleted')
    expect(configured()).toBeNull()
    serving.stop()
    expect(await served).toBe(0)
    expect(configured()).toBeNull()
  })

  test('leaves alone what is not ours, and exits 1; the same where the provider refuses', async () => {
    await configureElsewhere()
    const { code, printed } = await run(['deregister'])
    expect(code).toBe(1)
    expect(printed()).toContain('not_ours')
    expect(configured()?.NotifyUrl).toContain('elsewhere.example.com')
    emulator.setFaults([{ operation: '*', fault: 'forbidden' }])
    const refused = await run(['deregister'])
    expect([refused.code, refused.printed()]).toEqual([1, expect.stringContaining('failed')])
  })

  test.each([
    ['forbidden', 'looked after as before', false, 'ram-policy-admin.json'],
    ['applied_then_drop', 'no longer, and it says so', true, 'deregister again, or register'],
  ] as const)('what Delete answers with %s is %s', async (fault, _, released, said) => {
    await run(['register'])
    emulator.setFaults([{ operation: 'DeleteLiveSnapshotNotifyConfig', fault }])
    const { code, printed } = await run(['deregister'])
    expect([code, printed()]).toEqual([1, expect.stringContaining(said)])
    const status = JSON.parse((await run(['status', '--json'])).printed())
    expect(status.store.domains[0].released).toBe(released)
    if (!released) expect(status.store.domains[0].url).toContain(DOMAIN)
  })
})

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

  test('a store that cannot be opened: exit 1, and its path', async () => {
    const { code, errors } = await run(['serve'], settings({ SNAPHOOK_STORE: `sqlite:${folder}` }))
    expect(code).toBe(1)
    expect(errors()).toContain(folder)
    expect(errors().split('\n')).toHaveLength(1)
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
