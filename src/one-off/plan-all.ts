// What the service would do now, per domain. Changes nothing, here or there.
import type { Config } from '../config.ts'
import { afterDrift, isHeld } from '../core/contest.ts'
import { EMPTY_RING, isTooOld } from '../core/key-ring.ts'
import { createKeySearch } from '../core/notify-key.ts'
import { notifyUrl } from '../core/notify-url.ts'
import { formerNotifyUrls, isDrift, plan, type Situation, type Step } from '../core/registration.ts'
import { explain, explainContest } from '../core/step-texts.ts'
import { describeError } from '../errors.ts'
import { openApi, type World } from '../parts.ts'
import { systemClock } from '../system-clock.ts'
import { knownSecrets, openForLooking } from './looking.ts'

export type PlannedDomain = {
  readonly domain: string
  /**
   * What would be done; `contested` where nothing would, since somebody else keeps overwriting it;
   * `failed` where the provider could not be asked.
   */
  readonly step: Step['kind'] | 'contested' | 'failed'
  readonly changes: boolean
  readonly why: string
}

export async function planAll(
  config: Config,
  world: World,
  signal: AbortSignal,
): Promise<PlannedDomain[]> {
  const secrets = knownSecrets(config)
  const store = await openForLooking(config, secrets)
  const { api, close } = openApi(config, world, () => undefined)
  const { clock = systemClock } = world
  const search = createKeySearch(secrets)
  const [publicUrl, ...formerPublicUrls] = config.publicUrls

  async function planOne(domain: string): Promise<PlannedDomain> {
    const ring = (await store?.loadRing(domain))?.ring ?? EMPTY_RING
    const now = clock.now()
    const situation: Situation = {
      domain,
      url: notifyUrl(publicUrl, domain),
      formerUrls: formerNotifyUrls(ring, formerPublicUrls, domain),
      takeover: config.takeover,
      secrets,
      search,
      rotateFrom: isTooOld(ring, config.keyMaxAgeMs, now) ? ring.current : null,
      ring,
      observed: await api.describe(domain, signal),
    }
    const step = plan(situation)
    if (isDrift(step, situation) && isHeld(afterDrift(ring.contest, now), now)) {
      const why = explainContest(step, situation)
      return { domain, step: 'contested', changes: true, why }
    }
    const changes = 'write' in step || step.kind === 'conflict'
    return { domain, step: step.kind, changes, why: explain(step) }
  }

  try {
    return await Promise.all(
      config.domains.map((domain) =>
        planOne(domain).catch((error: unknown) => {
          return { domain, step: 'failed' as const, changes: false, why: describeError(error) }
        }),
      ),
    )
  } finally {
    close()
    await store?.close()
  }
}
