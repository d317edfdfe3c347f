// Compares the README with the code: settings, endpoints, commands, metrics, states, the emulator.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { runCli } from '../../src/cli/cli.ts'
import { EXIT } from '../../src/cli/shell.ts'
import { FILE_SUFFIX, SECRET_NAMES } from '../../src/config/environment.ts'
import { readSetting, type Setting } from '../../src/config/setting.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import { AUDIT_STATES } from '../../src/core/audit/state.ts'
import { CALLBACK_OUTCOMES, FLAGS } from '../../src/core/events/callback.ts'
import { toCloudEvent } from '../../src/core/events/snapshot-event.ts'
import { Problem } from '../../src/core/problem.ts'
import { REGISTRATION_STATES } from '../../src/core/registration/registration.ts'
import { createControlApp } from '../../src/emulator/control-app.ts'
import { FAULT_KINDS, SWITCH_VALUES } from '../../src/emulator/emulator.ts'
import { defaultSwitches } from '../../src/emulator/switches.ts'
import { testShell } from '../support/test-shell.ts'
import {
  callbackApp,
  configFrom,
  ENVIRONMENT,
  opsApp,
  ownMetrics,
  REQUIRED,
  SETTING_NAMES,
} from './code.ts'
import { textOf } from './files.ts'
import { codesIn, fencedLines, type Row, tableOf } from './markdown.ts'

const readme = textOf('README.md')
/** Without the fenced blocks. */
const prose = readme.replaceAll(/^```.*?^```$/gms, '')
const firstCodes = (rows: readonly Row[]) => rows.map(([cell]) => codesIn(cell)[0])

describe('settings', () => {
  const rows = tableOf(readme, ['variable', 'default', 'meaning'])

  test('the table lists exactly the settings', () => {
    expect(firstCodes(rows).sort()).toEqual([...SETTING_NAMES].sort())
  })

  const declared = new Map(
    Object.values(SETTINGS).map((each): [string, Setting<unknown>] => [each.env, each]),
  )

  test.each(rows.map(([name, cell = '']) => [codesIn(name)[0] ?? '', cell] as const))(
    'the default of %s is %s',
    (name, cell) => {
      const setting = declared.get(name) as Setting<unknown>
      const withoutIt = readSetting(setting, undefined)
      if (cell === 'required') {
        expect(withoutIt).toBeInstanceOf(Problem)
        expect(() => configFrom({ ...REQUIRED, [name]: undefined })).toThrow(name)
        return
      }
      expect(Object.hasOwn(REQUIRED, name)).toBe(false)
      if (cell === 'none') {
        expect(setting.unset.kind).toBe('none')
        expect(withoutIt).not.toBeInstanceOf(Problem)
        return
      }
      const [value = ''] = codesIn(cell)
      expect(setting.unset.kind).toBe('default')
      expect(withoutIt).toEqual(readSetting(setting, value))
      expect(configFrom({ ...REQUIRED, [name]: value })).toEqual(configFrom(REQUIRED))
    },
  )

  test('those that may be files are marked', () => {
    const marked = rows.filter(([cell]) => cell?.endsWith('†')).map(([cell]) => codesIn(cell)[0])
    expect(marked).toEqual(SECRET_NAMES)
    expect(codesIn(prose)).toContain(FILE_SUFFIX)
  })

  test('no other variable is named anywhere, save as a mistake', () => {
    const named = new Set(readme.match(/SNAPHOOK_[A-Z_]+/g))
    expect([...named].filter((name) => !ENVIRONMENT.includes(name))).toEqual(['SNAPHOOK_PORT'])
  })
})

describe('endpoints', () => {
  const rows = tableOf(readme, ['listener', 'request', 'answer'])
  const of = (listener: string) =>
    rows.filter(([name]) => name === listener).map(([, request]) => codesIn(request)[0])

  test('the private ones are exactly those of the app', () => {
    const routes = opsApp().routes.filter(({ path }) => !path.endsWith('*'))
    expect(of('private')).toEqual(routes.map(({ method, path }) => `${method} ${path}`))
  })

  test('the public ones take a callback and a probe', async () => {
    expect(of('public')).toEqual(['POST /callbacks/<domain>', 'GET /probe/<nonce>'])
    const probed = await callbackApp('accepted').request('/probe/nonce-of-a-probe-1')
    expect(probed.status).toBe(200)
    const request = { method: 'POST', body: '' }
    const env = { incoming: { headers: {} } }
    const answer = await callbackApp('accepted').request(
      '/callbacks/play.example.com',
      request,
      env,
    )
    expect(answer.status).toBe(200)
  })

  test('each outcome has the status that it is answered with', async () => {
    const documented = tableOf(readme, ['status', 'outcomes']).flatMap(([status, outcomes]) =>
      codesIn(outcomes).map((outcome) => [outcome, Number(status)] as const),
    )
    const answered = CALLBACK_OUTCOMES.map(async (outcome) => {
      const env = { incoming: { headers: {} } }
      const answer = await callbackApp(outcome).request('/callbacks/a.example.com', {}, env)
      return [outcome, answer.status] as const
    })
    expect(new Map(documented)).toEqual(new Map(await Promise.all(answered)))
    expect(documented).toHaveLength(CALLBACK_OUTCOMES.length)
  })
})

describe('commands', () => {
  const rows = tableOf(readme, ['command', 'options', 'what it does'])

  async function help(...argv: string[]): Promise<string> {
    const { shell, printed } = testShell()
    expect(await runCli([...argv, '--help'], shell)).toBe(EXIT.done)
    return printed()
  }
  const indented = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, name]) => name)

  test('the table lists exactly those of the command line', async () => {
    const [, list = ''] = (await help()).split('Commands:')
    const names = indented(list, /^ {2}([a-z-]+)/gm).filter((name) => name !== 'help')
    expect(firstCodes(rows)).toEqual(names)
  })

  test.each(rows.map(([name, options]) => [codesIn(name)[0] ?? '', codesIn(options)] as const))(
    'those of %s are %j',
    async (name, options) => {
      const found = indented(await help(name), /^ {2}(?:-\w, )?(--[a-z-]+)/gm)
      expect(options).toEqual(found.filter((option) => option !== '--help'))
    },
  )

  test('the exit codes are those of the command line', () => {
    const codes = tableOf(readme, ['exit code', 'meaning']).map(([code]) => Number(code))
    expect(codes).toEqual(Object.values(EXIT))
  })

  test('every npm script that is named exists', () => {
    const named = [...readme.matchAll(/npm run ([a-z]+)/g)].map(([, name]) => name)
    const missing = named.filter((name) => !Object.hasOwn(packageJson.scripts, name ?? ''))
    expect(missing).toEqual([])
    expect(named).toContain('demo')
  })

  test('every command that is to be typed exists', async () => {
    const typed = fencedLines(readme, 'sh').flatMap((line) =>
      [...line.matchAll(/(?:npm start --|--rm snaphook) ([a-z]+)/g)].map(([, name]) => name),
    )
    expect(typed.filter((name) => !firstCodes(rows).includes(name))).toEqual([])
    expect(typed).toContain('plan')
  })
})

test('the metrics are exactly those that are registered, with their labels', async () => {
  const rows = tableOf(readme, ['metric', 'labels', 'meaning'])
  const documented = rows.map(([name, labels]) => [codesIn(name)[0], codesIn(labels).sort()])
  expect(documented).toEqual([...(await ownMetrics()).labels])
})

test('the states are those of an audit', () => {
  const rows = tableOf(readme, ['audit', 'what it means, what to do'])
  expect(firstCodes(rows)).toEqual(AUDIT_STATES)
})

test('the states are those of a registration', () => {
  const rows = tableOf(readme, ['state', 'what it means, what to do'])
  expect(firstCodes(rows)).toEqual(REGISTRATION_STATES)
})

describe('events', () => {
  const shown = JSON.parse(fencedLines(readme, 'json').join('\n'))

  test('the one that is shown has the form of one', () => {
    const body = { DomainName: 'play.example.com', AppName: 'live', StreamName: 'door' }
    const made = toCloudEvent({
      id: shown.id,
      domain: 'play.example.com',
      origin: 'callback',
      receivedAt: Date.parse(shown.data.receivedAt),
      occurredAt: Date.parse(shown.time),
      seq: shown.data.seq,
      body: new TextEncoder().encode(
        JSON.stringify({
          ...body,
          OssBucket: 'example-bucket',
          OssEndpoint: 'oss-cn-shanghai.aliyuncs.com',
          OssObject: shown.data.object,
          CreateTimestamp: Date.parse(shown.time),
        }),
      ),
    })
    expect({ ...shown, data: { ...shown.data, raw: made.data.raw } }).toEqual(made)
    expect(Object.keys(shown.data)).toEqual(Object.keys(made.data))
  })

  test('every flag is explained', () => {
    const [, bullet = ''] =
      /\*\*A body that is not understood is kept\*\*(.*?)\n- /s.exec(readme) ?? []
    expect(codesIn(bullet)).toEqual(FLAGS)
  })
})

describe('the emulator', () => {
  test('the switches and their values are those that there are, the default first', () => {
    const rows = tableOf(readme, ['switch', 'values', 'the question'])
    const documented = new Map(rows.map(([name, values]) => [codesIn(name)[0], codesIn(values)]))
    const { describe_lag, list_lag, lose_callbacks, ...choices } = SWITCH_VALUES
    const first = (values: readonly string[]) => values.slice(0, 1)
    const open = {
      describe_lag: first(describe_lag),
      list_lag: first(list_lag),
      lose_callbacks: first(lose_callbacks),
    }
    const all = { ...choices, ...open }
    expect(Object.fromEntries(documented)).toEqual(all)
    const firsts = [...documented].map(([name, [value]]) => [name, value])
    const defaults = Object.entries(defaultSwitches()).map(([name, value]) => [name, String(value)])
    expect(Object.fromEntries(firsts)).toEqual(Object.fromEntries(defaults))
  })

  test('the faults are those that there are', () => {
    const rows = tableOf(readme, ['fault', 'what happens'])
    expect(firstCodes(rows)).toEqual(Object.keys(FAULT_KINDS))
    for (const [name, meaning] of rows) {
      const kind = codesIn(name)[0] as keyof typeof FAULT_KINDS
      expect(meaning?.replaceAll('`', '')).toBe(FAULT_KINDS[kind].replaceAll('`', ''))
    }
  })

  test('the control API is that of the app', () => {
    const rows = tableOf(readme, ['request', 'what it does'])
    type Options = Parameters<typeof createControlApp>[0]
    const { routes } = createControlApp({} as Options)
    const paths = routes.filter(({ path }) => !path.endsWith('*'))
    const documented = rows.map(([request]) => codesIn(request)[0])
    expect(documented.sort()).toEqual(paths.map(({ method, path }) => `${method} ${path}`).sort())
  })
})

describe('the page and its neighbours', () => {
  test('every link leads to a file, and every file that is named is there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, path]) => path)
    const named = codesIn(prose).filter((code) => /^(deploy|src|test)\/[\w./-]+$/.test(code))
    const root = new URL('../../', import.meta.url)
    const missing = [...links, ...named].filter(
      (path) => !existsSync(fileURLToPath(new URL(path ?? '', root))),
    )
    expect(missing).toEqual([])
    expect(links.length).toBeGreaterThan(0)
  })

  test('the versions that are named are those that are meant', () => {
    const { version, dependencies } = packageJson
    expect(new Set(readme.match(/snaphook:[0-9]\S*?(?=`| )/g))).toEqual(
      new Set([`snaphook:${version}`]),
    )
    expect(readme).toContain(`\`@alicloud/pop-core\` ${dependencies['@alicloud/pop-core']}`)
    expect(textOf('CHANGELOG.md')).toMatch(
      new RegExp(`^## \\[${version}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm'),
    )
  })

  test('it begins with what a newcomer types', () => {
    const [demo, tests] = fencedLines(readme, 'sh')
    expect(demo).toMatch(/^npm ci && npm run demo\b/)
    expect(tests).toMatch(/^npm ci && npm test\b/)
  })
})
