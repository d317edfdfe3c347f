// What an operator reads at `info` over a whole life: one line for each thing that happened, in
// order, and none for the looks between.
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/app/system-clock.ts'
import { runCli } from '../../../src/cli/cli.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { keptWorld, serveHere } from '../../support/service/service-here.ts'
import {
  DOMAIN,
  type LogLine,
  readiness,
  type Stage,
  setStage,
} from '../../support/service/stage.ts'
import { testShell } from '../../support/service/test-shell.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

const BY_HAND = 'setByHandInConsole1'
const ELSEWHERE = 'https://elsewhere.example.com/cb'
/** Looks that find nothing new must have been made before a silence says something. */
const QUIET_LOOKS = 3

/** Waits a tenth of the time, so that a second between looks is none for the test. */
const hurried: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
}

onEachStore((own) => {
  test('reads like a story', async () => {
    await using stage = await setStage({}, own())
    const settings = { SNAPHOOK_RECONCILE_INTERVAL: '1s' }
    const service = await serveHere(stage, settings, { clock: hurried })
    let told = 0

    /** What was told since the last chapter, once `ending` is there and some quiet looks are over. */
    async function chapter(ending: RegExp): Promise<string[]> {
      const since = () => storyOf(service.log()).slice(told)
      await until(`${ending}`, () => since().some((line) => ending.test(line)))
      const looks = stage.calls('Describe') + QUIET_LOOKS
      await until('looks that find nothing new', () => stage.calls('Describe') >= looks)
      const lines = since()
      told += lines.length
      return lines
    }

    expect(await chapter(/registered$/)).toEqual([
      'info listening',
      'warn the public URL is plain http: callbacks can be read and copied on their way',
      'info nothing registered, creating it',
      'info registered',
    ])

    await update(stage, { NotifyReqAuth: 'no' })
    expect(await chapter(/registered$/)).toEqual([
      'warn repairing the registration',
      'info registered',
    ])

    await update(stage, { NotifyAuthKey: BY_HAND })
    expect(await chapter(/adopted$/)).toEqual([
      'warn a notify key that was set elsewhere is adopted',
    ])

    expect(await command(stage, 'rotate')).toBe(0)
    expect(await chapter(/in force$/)).toEqual(['info another notify key is in force'])

    await update(stage, { NotifyUrl: ELSEWHERE })
    expect(await chapter(/conflict$/)).toEqual(['warn registration conflict'])
    await update(stage, { NotifyUrl: stage.callbackUrl() })
    expect(await chapter(/in sync$/)).toEqual(['info registration in sync'])

    expect(await command(stage, 'deregister')).toBe(0)
    await until(
      'released',
      async () => (await readiness(service)).registrations[0]?.state === 'released',
    )
    expect(await command(stage, 'register')).toBe(0)
    // Whichever of the two creates it, the command or the service: the other one finds it. To a look from
    // before the command's write, and a ring from after it, what is not there yet seems gone.
    const creates =
      '(info nothing registered, creating it|warn registration is gone, creating it again),'
    expect((await chapter(/(registered|in sync)$/)).join()).toMatch(
      new RegExp(
        `^warn registration released,(${creates})?info (registered|registration in sync)$`,
      ),
    )

    await service[Symbol.asyncDispose]()
    expect(storyOf(service.log()).slice(told)).toEqual(['info stopped'])
    const ofDomain = service.log().filter(({ msg }) => /regist|key|repairing/.test(msg))
    for (const { msg, domain } of ofDomain) expect([msg, domain]).toEqual([msg, DOMAIN])
  })
})

/** Without the audit, and without who owns what, which have stories of their own. */
function storyOf(log: readonly LogLine[]): string[] {
  const isElsewhere = ({ msg, task }: LogLine) => msg.startsWith('audit ') || task !== undefined
  const told = log.filter((line) => line.level !== 'debug' && !isElsewhere(line))
  return told.map(({ level, msg }) => `${level} ${msg}`)
}

/** What somebody changes by hand; the rest stays as it is. */
async function update(stage: Stage, change: Record<string, string>): Promise<void> {
  await stage.call('UpdateLiveSnapshotNotifyConfig', { ...stage.configured(), ...change })
}

/** Runs a command beside the service, on the same store. */
async function command(stage: Stage, name: string): Promise<number> {
  const { credentials } = keptWorld(stage).world
  return runCli([name], testShell(stage.settings, { overrides: { credentials } }).shell)
}
