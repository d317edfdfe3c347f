// The commands as a person runs them: what they print, and with which code they end. All that there are,
// in the test's own process: test/cli.
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { SUCCESS } from '../../support/service/signed-callback.ts'
import { DOMAIN, keyOf, listening, setStage, settled } from '../../support/service/stage.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))
const STACK = /^\s+at /m

describe.concurrent('settings', () => {
  test('every problem at once, exit 78, no stack', async () => {
    await using stage = await setStage()
    const { code, stdout, stderr } = await stage.finish(['serve'], {
      SNAPHOOK_PUBLIC_URL: '',
      SNAPHOOK_DOMAINS: 'not a domain',
      SNAPHOOK_LISTEN: 'nowhere',
      SNAPHOOK_RECONCILE_INTERVAL: '5 minutes',
      SNAPHOOK_RETENTION: '7 days',
      SNAPHOOK_COLOUR: 'blue',
    })
    expect([code, stdout]).toEqual([78, ''])
    expect(stderr).not.toMatch(STACK)
    const [heading, ...problems] = stderr.trimEnd().split('\n')
    expect(heading).toBe('snaphook: 6 problems with the settings:')
    const named = problems.map((line) => /^ {2}(SNAPHOOK_\w+) \S+/.exec(line)?.[1])
    expect(named.toSorted()).toEqual([
      'SNAPHOOK_COLOUR',
      'SNAPHOOK_DOMAINS',
      'SNAPHOOK_LISTEN',
      'SNAPHOOK_PUBLIC_URL',
      'SNAPHOOK_RECONCILE_INTERVAL',
      'SNAPHOOK_RETENTION',
    ])
  })
})

test.concurrent('an unknown command: exit 64, no stack', async () => {
  await using stage = await setStage()
  const { code, stdout, stderr } = await stage.finish(['nonsense'])
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toMatch(/^error: /)
  expect(stderr).not.toMatch(STACK)
})

onEachStore((own) => {
  test('plan, register and status, from nothing to a running service', async () => {
    await using stage = await setStage({}, own())
    expect((await stage.finish(['status'])).stdout).toMatch(/not there yet.*not running here/s)
    const planned = await stage.finish(['plan', '--json'])
    expect(planned.code).toBe(2)
    expect(JSON.parse(planned.stdout)).toMatchObject([{ domain: DOMAIN, step: 'create' }])
    expect(stage.configured()).toBeNull()

    const registered = await stage.finish(['register'])
    expect(registered.code).toBe(0)
    expect(registered.stdout).toMatch(
      new RegExp(`^${DOMAIN} +in_sync .*${stage.callbackUrl()}$`, 'm'),
    )
    expect(stage.configured()?.NotifyAuthKey).toBe(keyOf(0))
    expect((await stage.finish(['plan'])).code).toBe(0)
    const status = await stage.finish(['status'])
    expect(status.stdout).toContain(stage.callbackUrl())
    expect(status.stdout).toContain('not running here')

    const service = await stage.serve()
    await settled(service)
    const running = await stage.finish(['status', '--json'], {
      SNAPHOOK_OPS_LISTEN: new URL(service.ops).host,
    })
    expect(running.code).toBe(0)
    expect(JSON.parse(running.stdout)).toMatchObject({
      store: { domains: [{ url: stage.callbackUrl(), generation: 0 }] },
      service: { ready: true, registrations: [{ state: 'in_sync' }] },
    })
    expect((await stage.finish(['plan'])).code).toBe(0)
    expect((await stage.finish(['register'])).code).toBe(0)
    expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
  })
})

test.concurrent('plan and register without a provider: exit 1', async () => {
  await using stage = await setStage()
  stage.emulator.setFaults([{ operation: '*', fault: 'drop' }])
  const ends = [stage.finish(['plan']), stage.finish(['register', '--timeout', '5s'])]
  for (const { code, stdout } of await Promise.all(ends)) {
    expect(code).toBe(1)
    expect(stdout).toMatch(/check SNAPHOOK_LIVE_ENDPOINT/)
  }
})

test.concurrent('token: a token with an API secret', async () => {
  await using stage = await setStage()
  const settings = { SNAPHOOK_API_SECRET: 'x'.repeat(32) }
  const { code, stdout } = await stage.finish(['token', '--ttl', '1h'], settings)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
})

test.concurrent('send: what the service answers, exit 1 unless that is 200', async () => {
  await using stage = await setStage()
  const service = await stage.serve()
  await settled(service)
  const send = (key: string, args: string[] = [], input?: string) =>
    stage.finish(['send', '--url', stage.callbackUrl(), '--key', key, ...args], {}, { input })
  const body = '{"OssObject":"from/stdin.jpg"}'
  const good = await send(keyOf(0), ['--body', '-'], body)
  expect(good).toMatchObject({ code: 0, stdout: `200 ${SUCCESS}\n` })
  const bad = await send('notthekeyofthisone')
  expect(bad).toMatchObject({ code: 1, stdout: expect.stringMatching(/^401 /) })
  await until('the event', () => service.events().length === 1)
  expect(service.events()[0]?.data.raw).toBe(body)
})

test.concurrent('serve where a port is taken: exit 1, one sentence', async () => {
  await using stage = await setStage()
  const taken = { SNAPHOOK_LISTEN: new URL(stage.front.url).host }
  const { code, stdout, stderr } = await stage.finish(['serve'], taken)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/in use/)
  expect(stderr).toMatch(/^snaphook: [^\n]+\n$/)
  expect(stage.calls('Describe')).toBe(0)
})

test.concurrent('serve against the emulator of the command, with streams of its own', async () => {
  await using stage = await setStage()
  const keys = ['--access-key-id', 'testid', '--access-key-secret', 'testsecret']
  const streams = ['--domain', DOMAIN, '--streams', '2', '--interval', '1s']
  const emulator = stage.run(['emulator', '--listen', '127.0.0.1:0', ...keys, ...streams])
  const url = await until('its URL', () => /on (http:\S+?),/.exec(emulator.stdout.text())?.[1])
  const service = await listening(stage.run([], { SNAPHOOK_LIVE_ENDPOINT: url }))
  stage.front.lead(service.callbacks)
  await until('events of both streams', () => {
    return new Set(service.events().map(({ subject }) => subject)).size === 2
  })
  emulator.kill('SIGINT')
  expect(await emulator.ended).toBe(0)
})

test.concurrent('demo: a line per event, and nothing is left 2 s after Ctrl-C', async () => {
  await using stage = await setStage()
  const demo = stage.run(['demo'])
  const line = /^stream-\d {2}live\/stream-\d\S*\.jpg {2}\d+\.\d s old$/
  await until('an event', () => demo.stdout.lines.some((each) => line.test(each)))
  expect(demo.stdout.text()).toMatch(/^callbacks +http:.*^emulator +http:/ms)
  const since = performance.now()
  demo.kill('SIGINT')
  expect(await demo.ended).toBe(0)
  expect(performance.now() - since).toBeLessThan(2_000)
  expect(demo.isGroupEmpty()).toBe(true)
  expect(demo.stderr.text()).toBe('')
})

// By itself: two demos that start at once may both want the default ports.
test('npm run dev: the demo, restarted at every change', async () => {
  const [, watch = '', entry = '', ...args] = packageJson.scripts.dev.split(' ')
  expect([watch, entry]).toEqual(['--watch', 'src/main.ts'])
  await using stage = await setStage()
  const dev = stage.run([MAIN, ...args], {}, { main: watch })
  await until('an event', () => dev.stdout.lines.some((each) => each.startsWith('stream-')))
  dev.kill('SIGINT')
  await dev.ended
  expect(dev.stderr.text()).toBe('')
})
