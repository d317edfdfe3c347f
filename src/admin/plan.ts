// What the service would do now, per domain. Changes nothing, here or there.

import { type Overrides, withDefaults } from '../app/overrides.ts'
import { knownSecrets } from '../app/secrets.ts'
import { readStore } from '../app/stores.ts'
import { openApi } from '../app/wiring.ts'
import type { Config } from '../config/config.ts'
import { EMPTY_RING, isTooOld, type Ring } from '../core/keys/key-ring.ts'
import { createKeySearch } from '../core/keys/notify-key.ts'
import { afterDrift, isHeld } from '../core/registration/contest.ts'
import { notifyUrl } from '../core/registration/notify-url.ts'
import {
  formerNotifyUrls,
  isDrift,
  plan,
  type Situation,
  type Step,
} from '../core/registration/registration.ts'
import { explain, explainContest } from '../core/registration/step-texts.ts'
import { describeError, throwBug } from '../errors.ts'
import type { Store } from '../ports/store.ts'

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
  overrides: Overrides,
  signal: AbortSignal,
): Promise<PlannedDomain[]> {
  const secrets = knownSecrets(config)
  const rings = await readStore(config, overrides, readRings)
  const { api, close } = openApi(config, overrides)
  const { clock } = withDefaults(overrides)
  const search = createKeySearch(secrets)
  const [publicUrl, ...formerPublicUrls] = config.publicUrls

  async function readRings(store: Store): Promise<Map<string, Ring>> {
    const stored = await Promise.all(config.domains.map((domain) => store.loadRing(domain)))
    return new Map(config.domains.map((domain, i) => [domain, stored[i]?.ring ?? EMPTY_RING]))
  }

  async function planOne(domain: string): Promise<PlannedDomain> {
    const ring = rings?.get(domain) ?? EMPTY_RING
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
          throwBug(error)
          return { domain, step: 'failed' as const, changes: false, why: describeError(error) }
        }),
      ),
    )
  } finally {
    close()
  }
}
