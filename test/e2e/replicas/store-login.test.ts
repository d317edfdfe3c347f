// The password of a shared store shows nowhere, however it is written, while all is well and while
// nothing is: a server that is gone, a password that was changed, settings that are wrong.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { runCli } from '../../../src/cli/cli.ts'
import { assertNoSecrets } from '../../support/no-secrets.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { nowSeconds, sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  readiness,
  type Settings,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { testShell } from '../../support/service/test-shell.ts'
import { temporaryFolder } from '../../support/store/store-fixtures.ts'
import { until } from '../../support/until.ts'

const PASSWORD = 'pa$$ wörd/of:the@store%2F+1'
const WRONG = 'wrong/of:the@store%2F+2'
const API_SECRET = 'the api secret of the tests, long enough'
/** As it is, as it was typed, as a URL writes it again, and in parts that are long enough to tell. */
const SECRETS = Object.fromEntries(
  [PASSWORD, WRONG].flatMap((password, n) => {
    const url = new URL('postgres://h')
    url.password = password
    const forms = [password, encodeURIComponent(password), url.password, encodeURI(password)]
    return forms.map((form, nth) => [`password ${n}, form ${nth}`, form])
  }),
)
const server = postgresForFile()

beforeAll(async () => {
  const rules = join(server().folder, 'pg_hba.conf')
  const first = 'host all guarded all scram-sha-256\n'
  writeFileSync(rules, first + readFileSync(rules, 'utf8'))
  await setPassword(PASSWORD)
  await server().query('grant create on database snaphook to guarded')
  await server().query('select pg_reload_conf()')
})

async function setPassword(password: string): Promise<void> {
  const [role] = await server().query(`select from pg_roles where rolname = 'guarded'`)
  const verb = role === undefined ? 'create' : 'alter'
  await server().query(`${verb} role guarded login password '${password}'`)
}

function urlWith(password: string, port = server().port, rest = ''): string {
  const { schema } = server().newLocation()
  const at = `127.0.0.1:${port}/snaphook`
  return `postgres://guarded:${encodeURIComponent(password)}@${at}?schema=${schema}&sslmode=disable${rest}`
}

/** All that a command prints, and its exit code. */
async function said(stage: Stage, args: readonly string[], settings: Settings) {
  const it = testShell({ ...stage.settings, SNAPHOOK_LOG_LEVEL: 'debug', ...settings })
  const code = await runCli(args, it.shell)
  return { code, text: `${it.printed()}\n${it.errors()}\n${JSON.stringify(it.log.lines)}` }
}

test('while all is well, while the server is away, and after the password was changed', async () => {
  await using stage = await setStage()
  const settings = {
    ...{ SNAPHOOK_STORE: urlWith(PASSWORD), SNAPHOOK_API_SECRET: API_SECRET },
    SNAPHOOK_SINKS: 'stdout:',
  }
  const shown = new Map<string, string>()
  await using service = await serveHere(stage, settings)
  await settled(service)
  const token = (await said(stage, ['token'], settings)).text.split('\n')[0] as string
  const headers = { Authorization: `Bearer ${token}` }
  const ask = async (moment: string, paths: string[], commands: string[]) => {
    const asked = paths.map(async (path) => {
      const response = await fetch(`${service.ops}/${path}`, { headers })
      const answer = JSON.stringify([...response.headers]) + (await response.text())
      shown.set(`/${path} ${moment}`, answer)
    })
    const run = commands.map(async (command) => {
      shown.set(`${command} ${moment}`, (await said(stage, [command, '--json'], settings)).text)
    })
    await Promise.all([...asked, ...run])
  }
  const send = (n: number) =>
    sendCallback(stage.callbackUrl(), {
      key: keyOf(0),
      timestamp: nowSeconds(-n),
      body: `{"n":${n}}`,
    })
  expect((await send(1)).status).toBe(200)
  const open = ['readyz', 'metrics', 'v1/registrations', 'v1/sinks', 'v1/audit']
  const ofTheStore = ['v1/events', 'v1/streams', '', 'nothing']
  await ask('while all is well', [...open, ...ofTheStore], ['status', 'doctor', 'plan', 'events'])

  await setPassword('another one')
  await server().query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'guarded'`,
  )
  expect((await send(2)).status).toBe(503)
  expect((await readiness(service)).reasons.join()).toContain('refuses the password of this role')
  await ask('after the password was changed', open, ['status', 'doctor'])
  expect(shown.get('status after the password was changed')).toContain('refuses the password')
  await setPassword(PASSWORD)
  await until('it takes callbacks again', async () => (await send(3)).status === 200)

  shown.set('the log', JSON.stringify(service.log()))
  for (const [where, text] of shown) assertNoSecrets(where, text, SECRETS)
  expect(shown.get('status while all is well')).toContain(DOMAIN)
})

test.each<[what: string, store: () => string, code: number, sentence: RegExp]>([
  ['a wrong password', () => urlWith(WRONG), 1, /refuses the password of this role/],
  ['no TLS there', () => urlWith(PASSWORD).replace('disable', 'require'), 1, /has no TLS/],
  ['an unknown parameter', () => urlWith(PASSWORD, undefined, '&password=x'), 78, /no parameter/],
  [
    'a schema that is none',
    () => urlWith(PASSWORD).replace('schema=', 'schema=A'),
    78,
    /schema of/,
  ],
  ['a path in the database', () => urlWith(PASSWORD).replace('/snaphook', '/a/b'), 78, /must be/],
  ['not encoded', () => `postgres://guarded:${PASSWORD}@127.0.0.1/x`, 78, /must be sqlite:PATH/],
  [
    'another scheme',
    () => urlWith(PASSWORD).replace('postgres', 'mysql'),
    78,
    /must be sqlite:PATH/,
  ],
])('%s: refused without it', async (_what, store, code, sentence) => {
  await using stage = await setStage()
  const SNAPHOOK_STORE = store()
  for (const args of [['serve'], ['status'], ['doctor']]) {
    const refused = await said(stage, args, { SNAPHOOK_STORE })
    expect(refused).toMatchObject({ code, text: expect.stringMatching(sentence) })
    assertNoSecrets(args.join(' '), refused.text, SECRETS)
  }
  const from = `sqlite:${join(temporaryFolder(), 'none.db')}`
  for (const args of [
    ['--from', SNAPHOOK_STORE, '--to', from],
    ['--from', from],
  ]) {
    const refused = await said(stage, ['copy-store', ...args], { SNAPHOOK_STORE })
    expect(refused.code).not.toBe(0)
    assertNoSecrets('copy-store', refused.text, SECRETS)
  }
})
