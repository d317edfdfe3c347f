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
import { mayStillShow } from '../core/registration/unseen-write.ts'
import { describeError, throwBug } from '../errors.ts'
import type { Store } from '../ports/store.ts'

const ON_ITS_WAY =
  'a write was made, or is being made, that the provider does not show yet: this takes up to five minutes'

export type PlannedDomain = {
  readonly domain: string
  /**
   * What would be done; `contested` if nothing would, since somebody else keeps overwriting it;
   * `pending` if nothing would yet, since a write is on its way; `failed` if the provider or the store
   * could not be asked.
   */
  readonly step: Step['kind'] | 'contested' | 'pending' | 'failed'
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

  /** One that can't be read is a fault of its domain alone. */
  async function readRings(store: Store): Promise<Map<string, PromiseSettledResult<Ring>>> {
    const stored = config.domains.map(async (domain) => {
      return (await store.loadRing(domain))?.ring ?? EMPTY_RING
    })
    const read = await Promise.allSettled(stored)
    return new Map(read.map((ring, index) => [config.domains[index] as string, ring]))
  }

  function ringOf(domain: string): Ring {
    const read = rings?.get(domain)
    if (read?.status === 'rejected') throw read.reason
    return read?.value ?? EMPTY_RING
  }

  async function planOne(domain: string): Promise<PlannedDomain> {
    const ring = ringOf(domain)
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
    if ('write' in step && mayStillShow(ring.unseenSince, now)) {
      return { domain, step: 'pending', changes: true, why: ON_ITS_WAY }
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
