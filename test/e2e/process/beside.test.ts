// Every command that looks into a store or changes it, beside services that run on it.
import { expect, test } from 'vitest'
import { runCli } from '../../../src/cli/cli.ts'
import { EXIT } from '../../../src/cli/shell.ts'
import { keptWorld, serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  metricsOf,
  type Running,
  type Settings,
  type Stage,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { testShell } from '../../support/service/test-shell.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:2/'
const SETTINGS: Settings = {
  SNAPHOOK_SINKS: `stdout:,hook=${NOWHERE}`,
  SNAPHOOK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'beside').toString('base64')}`,
  SNAPHOOK_AUDIT_INTERVAL: 'off',
}

function commandsOf(stage: Stage, settings: Settings = SETTINGS) {
  const { credentials } = keptWorld(stage).world
  const start = (argv: readonly string[]) => {
    const it = testShell({ ...stage.settings, ...settings }, { overrides: { credentials } })
    return { ...it, ended: runCli([...argv], it.shell) }
  }
  return {
    start,
    async run(...argv: string[]) {
      const it = start(argv)
      return { code: await it.ended, shown: it.printed(), errors: it.errors() }
    },
  }
}

async function shoot(stage: Stage, StreamName: string, n: number): Promise<void> {
  const body = JSON.stringify({ DomainName: DOMAIN, AppName: 'live', StreamName, n })
  expect((await sendCallback(stage.callbackUrl(), { key: keyOf(0), body })).status).toBe(200)
}

onEachStore((own, kind) => {
  test('shows what the services know, follows what comes, and has things done by them', async () => {
    await using stage = await setStage({}, own())
    await using first = await serveHere(stage, SETTINGS)
    // The second one of a shared store; that of a file has one.
    await using second = await another(kind, stage)
    await settled(first)
    const services = [first, ...(second === undefined ? [] : [second])]
    stage.front.lead(...services.map(({ callbacks }) => callbacks))
    const { start, run } = commandsOf(stage)
    const following = start(['events', '--follow', '--json', '--limit', '1'])
    await shoot(stage, 'door', 0)
    await until('the first to be followed', () => following.printed() !== '')
    for (let n = 1; n < 6; n += 1) await shoot(stage, n % 2 === 0 ? 'door' : 'gate', n)
    const seen = () => services.flatMap((service) => service.events().map(({ data }) => data.seq))
    await until('all to be printed', () => seen().length === 6)
    await until('all to be followed', () => following.printed().split('\n').length === 6)
    following.stop()
    expect(await following.ended).toBe(EXIT.done)
    const followed = following
      .printed()
      .split('\n')
      .map((line) => JSON.parse(line).data.seq)
    expect(followed).toEqual([1, 2, 3, 4, 5, 6])

    const events = await run('events', '--json', '--stream', 'door', '--order', 'asc')
    expect(events.shown.split('\n').map((line) => JSON.parse(line).data.seq)).toEqual([1, 3, 5])
    const streams = await until('the streams to be counted', async () => {
      const { shown } = await run('streams', '--json')
      const all = shown.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
      return all.reduce((sum, each) => sum + each.events, 0) === 6 && all
    })
    // The most recent shot first.
    expect(streams).toMatchObject([
      { stream: 'gate', events: 3 },
      { stream: 'door', events: 3 },
    ])
    const status = JSON.parse((await run('status', '--json')).shown).store
    expect(status).toMatchObject({ events: 6, lastSeq: 6 })
    expect(status.sinks).toMatchObject([
      { name: 'stdout', lag: 0 },
      { name: 'hook', lag: 6 },
    ])

    expect((await run('replay', '--sink', 'stdout', '--stream', 'live/gate')).code).toBe(EXIT.done)
    await until('the replay', () => seen().length === 9)
    expect(seen().toSorted((a, b) => a - b)).toEqual([1, 2, 2, 3, 4, 4, 5, 6, 6])
    const doctor = JSON.parse((await run('doctor', '--json')).shown) as Finding[]
    expect(doctor.filter(({ check }) => check === 'store')).not.toEqual([])
    const failed = doctor.filter(({ check, result }) => check === 'store' && result === 'fail')
    expect(failed).toEqual([])
  })

  test('what a sink never got is gone by range, named, counted and forgotten when asked', async () => {
    await using stage = await setStage({}, own())
    const retention = { SNAPHOOK_RETENTION: '1s', SNAPHOOK_RETENTION_MAX: '1s' }
    const settings = { ...SETTINGS, ...retention }
    await using service = await serveHere(stage, settings)
    await settled(service)
    for (let n = 0; n < 4; n += 1) await shoot(stage, 'door', n)
    const { run } = commandsOf(stage, settings)
    const gone = await until('it to be gone', async () => {
      const { ranges } = JSON.parse((await run('dead-letters', 'list', '--json')).shown)
      return ranges.reduce((sum: number, { count }: Range) => sum + count, 0) === 4 && ranges
    })
    expect(gone.map(({ sink }: Range) => sink)).not.toContain('stdout')
    expect(gone[0]).toMatchObject({ sink: 'hook', reason: 'expired', fromSeq: 1 })
    const lost = async ({ ops }: Running) =>
      (await metricsOf({ ops } as Running)).value('snaphook_events_expired_total', { sink: 'hook' })
    expect(await lost(service)).toBe(4)
    expect((await run('events', '--json')).shown).toBe('')
    expect((await run('dead-letters', 'list')).shown).toMatch(/hook +1 to \d/)
    await shoot(stage, 'door', 5)
    await until('what comes now', () => service.events().some(({ data }) => data.seq === 5))
  })

  test('before there is a store, commands say so, and make none', async () => {
    await using stage = await setStage({}, own())
    const { run } = commandsOf(stage)
    expect((await run('status')).shown).toContain('not there yet')
    expect((await run('plan')).code).toBe(EXIT.differences)
    for (const argv of [
      ['events'],
      ['streams'],
      ['dead-letters', 'list'],
      ['dead-letters', 'retry', '--all'],
      ['replay', '--sink', 'stdout'],
    ]) {
      const { code, errors } = await run(...argv)
      expect([argv[0], code]).toEqual([argv[0], EXIT.failed])
      expect(errors).toMatch(/there is no store .* yet|no store/i)
    }
    expect((await run('status')).shown).toContain('not there yet')
  })
})

type Finding = { readonly check: string; readonly result: string }
type Range = { readonly sink: string; readonly count: number }

async function another(kind: string, stage: Stage) {
  return kind === 'postgres' ? serveHere(stage, SETTINGS) : undefined
}
