// kill -9 at the steps of every change of a registration: the next start finds its way by looking,
// no callback is refused, and nothing is written that need not be. Where a process can die is learnt
// by letting it live once, so that no step is forgotten.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { deregisterAll } from '../../../src/admin/deregister.ts'
import { pushesOn } from '../../support/audit/pushes.ts'
import { CHANGES } from '../../support/registration/changes.ts'
import {
  isProviderWrite,
  isStoreWrite,
  type Side,
  type Step,
} from '../../support/registration/steps.ts'
import { configOf, keptWorld, serveHere } from '../../support/service/service-here.ts'
import { type Settings, type Stage, setStage } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const MAIN = fileURLToPath(new URL('../../support/registration/crashing-main.ts', import.meta.url))
const SIDES: readonly Side[] = ['before', 'after']
/**
 * A read leaves nothing behind, and to die before a write is to die after the one before it. So it
 * is enough to die after each write, and on both sides of those to the provider. When asked to, the
 * test dies on both sides of every step, which takes minutes.
 */
const EVERY_STEP = process.env.CRASH_AT_EVERY_STEP !== undefined
/** A callback that comes before the first look may be asked to come again: by then it has ended. */
const RETRY_INTERVAL_MS = 300
/** Five rows of processes share two cores with each other, and with other files. */
const TIMEOUT_MS = EVERY_STEP ? 1_800_000 : 180_000
const SETTLED = ['registered', 'registration in sync', 'registration released']

test.concurrent.each(CHANGES)(
  'killed at any step of: $name',
  { timeout: TIMEOUT_MS },
  async (change) => {
    await using stage = await setStage({ retryIntervalMs: RETRY_INTERVAL_MS })
    const pushes = pushesOn(stage)
    if (change.registered) {
      await using _service = await next(stage.ownStore('before'))
    }
    const before = stage.configured()
    let runs = 0

    /** Makes the change from its beginning, on a store of its own, up to `death` or to its end. */
    async function run(death: readonly string[]) {
      const store = `run-${++runs}`
      if (change.registered) {
        cpSync(`${stage.folder}/before`, `${stage.folder}/${store}`, { recursive: true })
      }
      stage.front.lead()
      if (stage.configured() !== null) await stage.call('DeleteLiveSnapshotNotifyConfig')
      if (before !== null) await stage.call('AddLiveSnapshotNotifyConfig', before)
      pushes.endAll()
      pushes.begin()
      await change.edit?.(stage)
      pushes.begin()
      const settings = { ...change.settings, ...stage.ownStore(store) }
      const writes = writesOf(stage)
      const child = await stage.finish([change.command, ...death], settings, { main: MAIN })
      expect(child.stderr).toBe('')
      return { ...child, settings, writes }
    }

    /** Starts the plain service, meets it with callbacks, and waits until it has settled. */
    async function next(settings: Settings) {
      const service = await serveHere(stage, settings)
      pushes.shoot()
      await until('the registration to settle', () =>
        service.log().some(({ msg }) => SETTLED.includes(msg)),
      )
      return service
    }

    async function survive(death: readonly string[], isLast: boolean): Promise<void> {
      const label = death.join(' ')
      const { code, settings, writes } = await run(death)
      expect(code, label).toBe('SIGKILL')
      pushes.begin()
      {
        await using _service = await next(settings)
        pushes.begin()
        pushes.shoot()
        await pushes.allAccepted(label)
      }
      expect(change.writes, label).toContain(writesOf(stage) - writes)
      const config = configOf(stage, settings)
      if (change.command === 'deregister') {
        const { world } = keptWorld(stage)
        await deregisterAll(config, world, new AbortController().signal)
        expect(stage.configured(), label).toBeNull()
      } else {
        expect(stage.configured(), label).toEqual({
          NotifyUrl: stage.callbackUrl(),
          NotifyReqAuth: 'yes',
          NotifyAuthKey: expect.toBeOneOf([...change.keys]),
        })
      }
      if (!isLast) return
      const done = { configured: stage.configured(), writes: writesOf(stage) }
      await using _again = await next(settings)
      expect({ configured: stage.configured(), writes: writesOf(stage) }, label).toEqual(done)
    }

    const alive = await run([])
    expect(alive.code).toBe(0)
    const steps = alive.stdout.trim().split('\n')
    const deaths = steps
      .flatMap((step) => SIDES.map((side) => [step, side] as const))
      .filter(isWorth)
    expect(deaths.length).toBeGreaterThan(2)
    for (const death of deaths) await survive(death, death === deaths.at(-1))
  },
)

function isWorth([step, side]: readonly [Step, Side]): boolean {
  return EVERY_STEP || isProviderWrite(step) || (isStoreWrite(step) && side === 'after')
}

function writesOf(stage: Stage): number {
  return stage.calls('Add') + stage.calls('Update')
}
