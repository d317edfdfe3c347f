// A whole life at debug level, with every kind of failure in it: nothing secret shows anywhere. And
// the tokens that open the operations API.
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { signCallback } from '../../../src/emulator/emulator.ts'
import { assertNoSecrets, type Secrets } from '../../support/no-secrets.ts'
import {
  type CallbackOptions,
  nowSeconds,
  sendCallback,
  snapshotBody,
} from '../../support/service/signed-callback.ts'
import { readEvents } from '../../support/service/sse-reader.ts'
import {
  DOMAIN,
  keyOf,
  type Running,
  type Settings,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'
import {
  ACCESS_KEY,
  FOREIGN_KEY,
  SECRETS,
  SECURITY_TOKEN,
  SETTINGS,
  STORE_PASSWORD,
  THEIR_TOKEN,
  UNKNOWN_KEY,
} from './planted-secrets.ts'

/** A final one between the others, so that the back-off begins anew. */
const FAULTS = [
  'html_502',
  'drop',
  'signature_mismatch',
  'empty_object',
  'throttling',
  'applied_then_drop',
  'Some.UnknownCode',
]

onEachStore((own) => {
  test('a whole life shows no secret', async () => {
    await using stage = await setStage(ACCESS_KEY, withLogin(own()))
    stage.emulator.setFaults(FAULTS.map((fault) => ({ operation: '*', fault, times: 1 })))
    const service = await stage.serve(SETTINGS)
    const token = (await stage.finish(['token', '--ttl', '1h'], SETTINGS)).stdout.trim()
    const shown = new Map<string, string>()
    const signatures = await sendAllKinds(stage, shown)
    await until('the faults to be used up', () => stage.emulator.state().faults.length === 0)
    await settled(service)

    await stage.call('UpdateLiveSnapshotNotifyConfig', { NotifyAuthKey: FOREIGN_KEY })
    // At the next look of its own: an unknown key may have used up the one that a callback can ask for.
    await until('the key set by hand to be accepted', async () => {
      return (await sendCallback(stage.callbackUrl(), { key: FOREIGN_KEY })).status === 200
    })
    await stage.call('UpdateLiveSnapshotNotifyConfig', theirs(stage))
    await until('the takeover', () => stage.configured()?.NotifyUrl === stage.callbackUrl())
    await settled(service)
    const looks = await askEverything(service, token, shown)
    stage.emulator.startPush({ domain: DOMAIN, app: 'live', stream: 'door' })
    for (const command of [
      ['plan'],
      ['register'],
      ['status'],
      ['dead-letters', 'list'],
      ['events'],
      ['streams'],
      ['doctor', '--write'],
      ['audit', '--since', '10m', '--until', '1s'],
    ]) {
      const { stdout, stderr } = await stage.finish(command, SETTINGS)
      shown.set(command.join(' '), stdout + stderr)
    }
    const { byOperation } = stage.emulator.state().api
    expect(byOperation.DescribeLiveStreamsPublishList).toBeGreaterThan(0)
    service.kill('SIGTERM')
    expect(await service.ended).toBe(0)

    const log = service.stderr.text()
    for (const kind of [
      'registration failed',
      'adopted',
      'taking over',
      'callback not accepted',
      'sink fails',
    ]) {
      expect(log).toContain(kind)
    }
    const secrets = { ...SECRETS, ...signatures, ...looks, 'the token': token }
    assertNoSecrets('the log', log, secrets)
    assertNoSecrets('standard output', service.stdout.text(), secrets)
    for (const [where, text] of shown) assertNoSecrets(where, text, secrets)
    const { getRequests, secretsInUrl } = stage.emulator.state().api
    expect({ getRequests, secretsInUrl }).toEqual({ getRequests: 0, secretsInUrl: 0 })
  })
})

test.concurrent.each<[what: string, given: Settings, code: number]>([
  ['a wrong access key', { ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'wrongAccessKeySecret' }, 1],
  [
    'settings that hold secrets',
    {
      SNAPHOOK_SECRET: 'shortSecret',
      SNAPHOOK_API_SECRET: 'shortApiSecret',
      SNAPHOOK_WEBHOOK_SECRET: 'whsec_short',
      SNAPHOOK_SINKS: 'hook=https://someone:passwordOfSink@example.com',
      SNAPHOOK_PUBLIC_URL: 'https://someone:passwordInUrl@example.com',
      SNAPHOOK_LIVE_ENDPOINT: 'https://live.example.com/?token=tokenInUrl',
    },
    78,
  ],
])('%s: refused without being repeated', async (_what, given, code) => {
  await using stage = await setStage(ACCESS_KEY)
  const { stdout, stderr, ...ended } = await stage.finish(['plan'], given)
  expect(ended).toEqual({ code })
  const parts = Object.values(given).flatMap((text) => /\w+(?=@|$)/.exec(text) ?? [])
  expect(parts).toHaveLength(Object.keys(given).length)
  const secrets = Object.fromEntries(parts.map((part, index) => [`secret ${index}`, part]))
  assertNoSecrets('the complaint', stdout + stderr, { ...SECRETS, ...secrets })
})

test.concurrent('the operations API opens to a token of the command, and to nothing else', async () => {
  await using stage = await setStage(ACCESS_KEY)
  const service = await stage.serve(SETTINGS)
  await settled(service)
  const { stdout, code } = await stage.finish(['token', '--ttl', '5m'], SETTINGS)
  expect(code).toBe(0)
  const others = { ...SETTINGS, SNAPHOOK_API_SECRET: 'another secret, of thirty-two bytes or more' }
  const foreign = (await stage.finish(['token'], others)).stdout.trim()
  const ask = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { Authorization: authorization }
    const response = await fetch(`${service.ops}/v1/registrations`, { headers })
    return { status: response.status, text: await response.text() }
  }
  for (const wrong of [
    undefined,
    'Bearer',
    'Bearer nonsense',
    `Bearer ${foreign}`,
    stdout.trim(),
  ]) {
    expect((await ask(wrong)).status).toBe(401)
  }
  const opened = await ask(`Bearer ${stdout.trim()}`)
  expect(opened.status).toBe(200)
  expect(JSON.parse(opened.text).registrations).toMatchObject([{ domain: DOMAIN }])
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    expect((await fetch(service.ops + path)).status).toBe(200)
  }
})

test('a secret that shows is found in every spelling', () => {
  const secrets = { it: SECURITY_TOKEN }
  for (const text of [SECURITY_TOKEN, encodeURIComponent(SECURITY_TOKEN), btoa(SECURITY_TOKEN)]) {
    expect(() => assertNoSecrets('a text', `a ${text} b`, secrets)).toThrow(/a text/)
  }
  assertNoSecrets('a text', 'nothing of the kind', secrets)
})

/** The server takes any password. */
function withLogin({ SNAPHOOK_STORE, ...settings }: Settings): Settings {
  if (SNAPHOOK_STORE === undefined) return settings
  return { SNAPHOOK_STORE: SNAPHOOK_STORE.replace('@', `:${STORE_PASSWORD}@`), ...settings }
}

function theirs({ front }: Stage) {
  const NotifyUrl = `${front.url}/${THEIR_TOKEN}`
  return { NotifyUrl, NotifyReqAuth: 'yes', NotifyAuthKey: FOREIGN_KEY }
}

/** Of a bucket whose pictures may be shown. */
const LISTED = { OssBucket: 'my-snapshots', OssEndpoint: 'oss-cn-shanghai.aliyuncs.com' }

/** One callback for each way to be refused, and good ones. Returns the signatures that were sent. */
async function sendAllKinds(stage: Stage, shown: Map<string, string>): Promise<Secrets> {
  const kinds: CallbackOptions[] = [
    { key: keyOf(0) },
    { key: keyOf(1), timestamp: nowSeconds(-1) },
    { key: UNKNOWN_KEY },
    { key: keyOf(0), timestamp: nowSeconds(-1_000) },
    { key: keyOf(0), timestamp: nowSeconds(1_000) },
    { key: keyOf(0), timestamp: `${nowSeconds()}0000` },
    { key: keyOf(0), headers: { 'ALI-LIVE-TIMESTAMP': null } },
    { key: keyOf(0), body: 'x'.repeat(70_000) },
    { key: keyOf(0), timestamp: nowSeconds(-2), body: 'not JSON' },
    { key: keyOf(0), timestamp: nowSeconds(-3), body: snapshotBody(LISTED) },
    { key: keyOf(0), method: 'PUT' },
  ]
  const signatures: Record<string, string> = {}
  for (const [index, { timestamp = nowSeconds(), ...kind }] of kinds.entries()) {
    const answer = await sendCallback(stage.callbackUrl(), { ...kind, timestamp })
    shown.set(`answer ${index}`, JSON.stringify(answer))
    signatures[`signature ${index}`] = signCallback('127.0.0.1', timestamp, kind.key)
  }
  return signatures
}

/** Asks as the wall does, as programs do, and as strangers do. Returns what only one of them is told. */
async function askEverything(
  { ops }: Running,
  token: string,
  shown: Map<string, string>,
): Promise<Secrets> {
  const open = ['/healthz', '/readyz', '/metrics', '/', '/nothing', ...wallFiles()]
  const guarded = ['registrations', 'sinks', 'audit', 'openapi.json', 'streams', 'events']
  const faulty = ['events?x=1', 'events/0', `events?after=${token}`, 'streams?q=%00']
  const authorized = { Authorization: `Bearer ${token}` }
  const cookie = { Cookie: `snaphook_session=${token}` }
  for (const path of [...open, ...[...guarded, ...faulty].map((name) => `/v1/${name}`)]) {
    for (const headers of [{}, authorized, cookie]) {
      const response = await fetch(ops + path, { headers })
      const answer = JSON.stringify([...response.headers]) + (await response.text())
      shown.set(`${path} ${Object.keys(headers)}`, answer)
    }
  }
  await using live = await readEvents({ url: ops }, '?after=0', authorized)
  await until('the live events', () => live.events.length > 2)
  shown.set('the event stream', JSON.stringify([...live.response.headers]) + live.head)
  // Who may see a picture gets its signed URL, and who signs in the cookie; nobody else is told.
  const ids = live.events.map(({ data = '' }) => (JSON.parse(data) as { id: string }).id)
  const pictures = await Promise.all(
    ids.map((id) =>
      fetch(`${ops}/v1/events/${id}/image`, { headers: authorized, redirect: 'manual' }),
    ),
  )
  const signed = pictures.flatMap(({ headers }) => headers.get('location') ?? [])
  expect(signed.length).toBeGreaterThan(0)
  for (const each of pictures.filter(({ status }) => status !== 302)) {
    shown.set(`no picture ${each.url}`, await each.text())
  }
  for (const [path, given] of [
    ['/sign-in', token],
    ['/sign-in', `${token}x`],
    ['/sign-out', token],
  ] as const) {
    const body = new URLSearchParams({ token: given })
    const response = await fetch(ops + path, { method: 'POST', body })
    expect(response.headers.has('set-cookie')).toBe(given === token)
    shown.set(`${path} ${response.status}`, await response.text())
  }
  return Object.fromEntries(
    signed.map((url, index) => [
      `the signature of picture ${index}`,
      new URL(url).searchParams.get('x-oss-signature') as string,
    ]),
  )
}

/** All that the wall is made of. */
function wallFiles(): string[] {
  const folder = new URL('../../../src/wall/', import.meta.url)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => /\.(?:js|css|html|svg)$/.test(name)).map((name) => `/wall/${name}`)
}
