// `doctor` as an operator runs it, against the emulator and a running service.
import { describe, expect, test } from 'vitest'
import type { Check, Finding, Result } from '../../../src/admin/doctor/finding.ts'
import { runCli } from '../../../src/cli/cli.ts'
import { serveHere } from '../../support/service/service-here.ts'
import {
  DOMAIN,
  type Settings,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { testShell } from '../../support/service/test-shell.ts'
import { until } from '../../support/until.ts'

const TEMPLATE = {
  TimeInterval: 5,
  OssEndpoint: 'oss.example.com',
  OssBucket: 'bucket',
  SequenceOssObject: '{AppName}/{UnixTimestamp}.jpg',
}
const HIDDEN = '?token=abc'

async function doctor(stage: Stage, argv: string[] = [], settings: Settings = {}) {
  const credentials = {
    getCredentials: async () => ({
      accessKeyId: stage.settings.ALIBABA_CLOUD_ACCESS_KEY_ID ?? '',
      accessKeySecret: stage.settings.ALIBABA_CLOUD_ACCESS_KEY_SECRET ?? '',
      providerName: 'default/env',
    }),
  }
  const shell = testShell({ ...stage.settings, ...settings }, { overrides: { credentials } })
  const code = await runCli(['doctor', '--json', ...argv], shell.shell)
  const findings: Finding[] = JSON.parse(shell.printed())
  const of = (check: Check): [Result, string][] =>
    findings
      .filter((finding) => finding.check === check)
      .map(({ result, detail }) => [result, detail])
  return { code, findings, of }
}

const addApp = (stage: Stage, AppName: string, Callback?: string) =>
  stage.call('AddLiveAppSnapshotConfig', { ...TEMPLATE, AppName, ...(Callback && { Callback }) })

test('all is well beside a running service: no problem, exit 0', async () => {
  await using stage = await setStage({ templates: false })
  await addApp(stage, 'live')
  await using service = await serveHere(stage)
  await settled(service)
  const { code, findings, of } = await doctor(stage)
  expect(code).toBe(0)
  expect(findings.filter(({ result }) => result === 'problem')).toEqual([])
  expect(of('credentials')).toEqual([['ok', 'an access key, found in environment variables']])
  expect(of('permission')).toMatchObject(
    [
      ['ok', /Describe/],
      ['not_checked', /Add and Update/],
    ].map(([result, detail]) => [result, expect.stringMatching(detail as RegExp)]),
  )
  expect(of('clock')).toEqual([['ok', "in step with the provider's clock"]])
  expect(of('snapshots')).toEqual([['ok', 'snapshots are taken for live']])
  expect(of('public_url').at(-1)).toEqual(['ok', 'leads to a snaphook with this secret'])
  expect(of('store').map(([result]) => result)).not.toContain('problem')
  expect(of('sink')).toEqual([['ok', 'writes to standard output']])
})

test('before anything runs, and with nothing taking snapshots: exit 1, with what to do', async () => {
  await using stage = await setStage({ templates: false })
  const { code, findings, of } = await doctor(stage)
  expect(code).toBe(1)
  expect(findings.filter(({ result }) => result === 'problem')).toMatchObject([
    { check: 'snapshots', subject: DOMAIN, next: expect.stringContaining('AddLiveAppSnapshot') },
  ])
  expect(of('public_url').at(-1)).toMatchObject(['warning', expect.stringContaining('probe')])
  for (const { result, next } of findings) if (result !== 'ok') expect(next).toBeTruthy()
})

test('as a table for people', async () => {
  await using stage = await setStage({ templates: false })
  const { code, stdout } = await stage.finish(['doctor'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/^RESULT +CHECK +OF +DETAIL$/m)
  expect(stdout).toMatch(new RegExp(`^problem +snapshots +${DOMAIN} +has no snapshot config`, 'm'))
  expect(stdout).toMatch(/^ok +credentials .*environment variables$/m)
})

describe('apps with callbacks of their own', () => {
  test('each is a warning that names the host, without what may be a token', async () => {
    await using stage = await setStage()
    await addApp(stage, 'live')
    await addApp(stage, 'other', `https://elsewhere.example.com/cb${HIDDEN}`)
    const { of, findings } = await doctor(stage)
    expect(of('snapshots')).toEqual([['warning', expect.stringContaining(`app other`)]])
    expect(of('snapshots')[0]?.[1]).toContain('to https://elsewhere.example.com/…:')
    expect(JSON.stringify(findings)).not.toContain('abc')
  })

  test('one on a later page is found', async () => {
    await using stage = await setStage()
    for (let app = 0; app < 29; app += 1) await addApp(stage, `app-${app}`)
    await addApp(stage, 'zz-last', 'https://elsewhere.example.com/cb')
    expect((await doctor(stage)).of('snapshots')).toMatchObject([
      ['warning', expect.stringContaining('zz-last')],
    ])
  })
})

test.each<[string, string, Check, Result, RegExp]>([
  ['DescribeLiveSnapshotConfig', 'forbidden', 'snapshots', 'not_checked', /not allowed to look/],
  ['DescribeLiveSnapshotConfig', 'html_502', 'snapshots', 'not_checked', /not JSON/],
  ['DescribeLiveSnapshotNotifyConfig', 'forbidden', 'permission', 'problem', /ram-policy.json/],
  ['DescribeLiveSnapshotNotifyConfig', 'signature_mismatch', 'permission', 'problem', /access key/],
  ['DescribeLiveSnapshotNotifyConfig', 'unknown_domain', 'permission', 'problem', /SNAPHOOK_DOM/],
  ['DescribeLiveSnapshotNotifyConfig', 'drop', 'permission', 'problem', /network error/],
])('%s, %s: %s is %s', async (operation, fault, check, result, detail) => {
  await using stage = await setStage()
  stage.emulator.setFaults([{ operation, fault }])
  const { of } = await doctor(stage)
  expect(of(check)).toEqual([[result, expect.stringMatching(detail)]])
})

test('no call gets through: one problem, and what waits for it says so', async () => {
  await using stage = await setStage()
  const times = 100
  stage.emulator.setFaults([{ operation: '*', fault: 'drop', times }])
  const { of, findings } = await doctor(stage)
  expect(of('permission')).toEqual([['problem', expect.stringContaining('network error')]])
  expect(findings.find(({ check }) => check === 'permission')?.next).not.toContain('ram-policy')
  expect(of('snapshots')).toEqual([['not_checked', 'waits for the call above']])
  expect(of('audit')).toEqual([['not_checked', 'waits for the call above']])
})

test('without credentials: nothing is called that needs them', async () => {
  await using stage = await setStage()
  const none = { ALIBABA_CLOUD_ACCESS_KEY_ID: '', ALIBABA_CLOUD_ACCESS_KEY_SECRET: '' }
  const { code, stdout } = await stage.finish(['doctor', '--json'], {
    ...none,
    ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
  })
  expect(code).toBe(1)
  const found: Finding[] = JSON.parse(stdout)
  expect(found.filter(({ check }) => check === 'credentials')).toMatchObject([
    { result: 'problem', detail: expect.stringContaining('ALIBABA_CLOUD_ACCESS_KEY_ID') },
  ])
  const calls = found.filter(({ check }) => check === 'permission' || check === 'snapshots')
  expect(calls.map(({ result }) => result)).toEqual(['not_checked', 'not_checked'])
  // The one call is that for the clock, which names no operation.
  expect(stage.emulator.state().api.byOperation).toEqual({ unknown: 1 })
})

test('a clock that is off: a problem with how far', async () => {
  const HOUR_MS = 3_600_000
  await using stage = await setStage({ now: () => Date.now() + HOUR_MS })
  const { of, code } = await doctor(stage)
  expect(code).toBe(1)
  expect(of('clock')).toEqual([['problem', expect.stringMatching(/(1h|59m) behind.*refused/)]])
})

describe('--write', () => {
  test('puts back exactly what is there', async () => {
    await using stage = await setStage()
    {
      await using service = await serveHere(stage)
      await settled(service)
    }
    const before = stage.configured()
    const { of } = await doctor(stage, ['--write'])
    expect(of('permission')[1]).toEqual(['ok', expect.stringContaining('put back')])
    expect(stage.configured()).toEqual(before)
    expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 1])
    await using service = await serveHere(stage)
    await settled(service)
    expect(stage.calls('Update')).toBe(1)
  })

  test('refused: a problem', async () => {
    await using stage = await setStage()
    await stage.call('AddLiveSnapshotNotifyConfig', ours(stage))
    stage.emulator.setFaults([{ operation: 'UpdateLiveSnapshotNotifyConfig', fault: 'forbidden' }])
    const { of, code } = await doctor(stage, ['--write'])
    expect([code, of('permission')[1]?.[0]]).toEqual([1, 'problem'])
  })

  test.each<[string, (stage: Stage) => Promise<unknown>, RegExp]>([
    ['nothing registered', async () => undefined, /nothing is registered/],
    [
      'another URL',
      (stage) =>
        stage.call('AddLiveSnapshotNotifyConfig', {
          ...ours(stage),
          NotifyUrl: 'https://elsewhere.example.com/cb',
        }),
      /not ours/,
    ],
    [
      'no authentication',
      (stage) =>
        stage.call('AddLiveSnapshotNotifyConfig', {
          NotifyUrl: stage.callbackUrl(),
          NotifyReqAuth: 'no',
        }),
      /no authentication/,
    ],
    [
      'a key that is masked',
      (stage) => {
        stage.emulator.setSwitches({ key_shown: 'masked' })
        return stage.call('AddLiveSnapshotNotifyConfig', ours(stage))
      },
      /no key is shown/,
    ],
  ])('%s: nothing is written', async (_, prepare, detail) => {
    await using stage = await setStage()
    await prepare(stage)
    const before = stage.configured()
    const { of } = await doctor(stage, ['--write'])
    expect(of('permission')[1]).toEqual(['not_checked', expect.stringMatching(detail)])
    expect(stage.configured()).toEqual(before)
    expect(stage.calls('Update')).toBe(0)
  })
})

function ours(stage: Stage) {
  return {
    NotifyUrl: stage.callbackUrl(),
    NotifyReqAuth: 'yes',
    NotifyAuthKey: 'setByHandInConsole1',
  }
}

test('an interrupt ends it at once', async () => {
  await using stage = await setStage()
  stage.emulator.setFaults([{ operation: '*', fault: 'timeout' }])
  const child = stage.run(['doctor'])
  await until(
    'the first call',
    () => stage.emulator.state().api.byOperation.DescribeLiveSnapshotNotifyConfig,
  )
  const since = performance.now()
  child.kill('SIGINT')
  await child.ended
  // The call that hangs would take five.
  expect(performance.now() - since).toBeLessThan(4_000)
  expect(stage.emulator.state().api.byOperation.DescribeLiveSnapshotNotifyConfig).toBe(1)
})
