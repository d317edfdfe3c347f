// `audit` and `backfill` beside a running service, and without one.
import { expect, test } from 'vitest'
import { createService } from '../../../src/app/service.ts'
import { runCli } from '../../../src/cli/cli.ts'
import { EXIT } from '../../../src/cli/shell.ts'
import { configOf, keptWorld } from '../../support/service/service-here.ts'
import { DOMAIN, readiness, setStage, settled } from '../../support/service/stage.ts'
import { testShell } from '../../support/service/test-shell.ts'
import { shiftedClock } from '../../support/shifted-clock.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

const STREAM = { domain: DOMAIN, app: 'live', stream: 'door' }
const SHOTS = 12

onEachStore((own) => {
  test('what is missed is shown, asked for, filled in, and shown to be whole', async () => {
    const clock = shiftedClock()
    await using stage = await setStage({ now: clock.now }, own())
    const { world, log, printed } = keptWorld(stage)
    const settings = { SNAPHOOK_AUDIT_INTERVAL: 'off' }
    const start = async () => {
      const service = createService(configOf(stage, settings), { ...world, clock })
      await service.start(new AbortController().signal)
      stage.front.lead(service.urls().callbacks)
      return service
    }
    const events = () =>
      printed()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
    const run = async (...argv: string[]) => {
      const {
        shell,
        printed: shown,
        errors,
      } = testShell({ ...stage.settings, ...settings }, { overrides: { ...world, clock } })
      return { code: await runCli(argv, shell), shown: shown(), errors: errors() }
    }

    const first = await start()
    await settled({ ...first.urls(), events, log: () => [] })
    stage.emulator.startPush(STREAM)
    for (let n = 0; n < SHOTS; n += 1) {
      clock.shift(5_000)
      stage.emulator.setSwitches({ lose_callbacks: n % 3 === 0 ? 1 : 0 })
      stage.emulator.shoot(STREAM)
      await until('the callback to be through', () => stage.emulator.inFlight() === 0)
    }
    clock.shift(5_000)
    stage.emulator.stopPush(STREAM)
    await until('what came', () => events().length === 8)
    clock.shift(6 * 60_000)

    const missed = await run('audit', '--json')
    expect(missed.code).toBe(EXIT.differences)
    expect(JSON.parse(missed.shown)).toMatchObject({
      ...{ listed: 12, kept: 8, missed: 4, notCompared: [] },
      streams: [{ domain: DOMAIN, app: 'live', stream: 'door', listed: 12, kept: 8, missed: 4 }],
    })
    expect((await run('audit')).shown).toMatch(/live\/door +12 +8 +4/)
    expect(events()).toHaveLength(8)
    expect((await run('audit', '--since', '1m')).code).toBe(EXIT.usage)
    expect((await run('audit', '--since', '40d')).errors).toContain('30 days')
    expect((await run('backfill', '--domain', 'other.example.com')).code).toBe(EXIT.usage)

    await first.stop()
    const asked = await run('backfill', '--since', '2h', '--stream', 'live/door')
    expect(asked).toMatchObject({ code: EXIT.done, shown: expect.stringContaining('next start') })
    const called = await run('backfill', '--since', '2h', '--json')
    const [second] = JSON.parse(called.shown).backfills
    expect((await run('backfill', '--cancel', String(second))).code).toBe(EXIT.done)
    expect((await run('backfill', '--cancel', String(second))).code).toBe(EXIT.failed)

    const again = await start()
    await until('what was missed', () => events().length === SHOTS)
    expect(events().filter(({ data }) => data.origin === 'audit')).toHaveLength(4)
    const { audits } = await readiness({ ...again.urls(), events, log: () => [] })
    expect(audits).toMatchObject([{ state: 'off', missed: 4, filled: 4 }])
    await until('the log to say so', () => log.story().includes('backfill is done'))
    const status = JSON.parse((await run('status', '--json')).shown)
    expect(status.store.backfills).toMatchObject([
      { number: second, state: 'cancelled', filled: 0 },
      { number: 1, state: 'done', done: 1, missed: 4, filled: 4, problem: null },
    ])
    const whole = await run('audit', '--json')
    expect(whole.code).toBe(EXIT.done)
    expect(JSON.parse(whole.shown)).toMatchObject({ listed: 12, kept: 12, missed: 0 })
    await again.stop()
  })
})
