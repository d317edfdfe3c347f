// `plan`, `register`, `rotate` and `deregister`.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/app/system-clock.ts'
import { runCli } from '../../src/cli/cli.ts'
import { EMPTY_RING } from '../../src/core/keys/key-ring.ts'
import { testShell } from '../support/service/test-shell.ts'
import { openStore } from '../support/store/store-fixtures.ts'
import { until } from '../support/until.ts'
import {
  configureElsewhere,
  DOMAIN,
  emulator,
  folder,
  overrides,
  run,
  settings,
  setUp,
} from './fixture.ts'

setUp()

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
