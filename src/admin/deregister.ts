// Deletes the registrations that are ours, and nothing else. It stays done, beside a running service
// too: the ring says so before the provider is touched, and no longer where that came to nothing.

import { type Overrides, withDefaults } from '../app/overrides.ts'
import { openRegistrar } from '../app/wiring.ts'
import type { Config } from '../config/config.ts'
import { showDuration } from '../core/duration.ts'
import {
  EMPTY_RING,
  type Ring,
  withNothingUnseen,
  withReleased,
  withReleaseTakenBack,
} from '../core/keys/key-ring.ts'
import { notifyUrl, showUrl } from '../core/registration/notify-url.ts'
import type { Observed } from '../core/registration/observation.ts'
import { formerNotifyUrls, isOurUrl } from '../core/registration/registration.ts'
import { MAX_LAG_MS, mayStillShow } from '../core/registration/unseen-write.ts'
import { describeError, mayHaveTakenEffect, throwBug, unlessBug } from '../errors.ts'

/** How often to look for a write that is on its way: it shows at once, or takes minutes. */
const LOOK_AGAIN_MS = 2_000

export type Deregistered = {
  readonly domain: string
  readonly outcome: 'deleted' | 'nothing_there' | 'not_ours' | 'failed'
  readonly detail: string
}

/** Deregisters every domain. Resolves with what was done, per domain. */
export async function deregisterAll(
  config: Config,
  overrides: Overrides,
  signal: AbortSignal,
): Promise<Deregistered[]> {
  const { log } = withDefaults(overrides)
  const { rings, api, clock, close } = await openRegistrar(config, overrides)
  const [publicUrl, ...formerPublicUrls] = config.publicUrls

  async function look(domain: string): Promise<'nothing' | 'ours' | string> {
    const observed: Observed = await api.describe(domain, signal)
    if (observed.kind === 'absent') return 'nothing'
    const formerUrls = formerNotifyUrls(rings.ring(domain), formerPublicUrls, domain)
    const ours = isOurUrl(observed.url, { url: notifyUrl(publicUrl, domain), formerUrls })
    return ours ? 'ours' : showUrl(observed.url)
  }

  async function deregister(domain: string): Promise<Deregistered> {
    const before = await look(domain)
    if (before !== 'nothing' && before !== 'ours') return notOurs(domain, before)
    let ringBefore = EMPTY_RING
    const { unseenSince } = await rings.change(domain, (ring) => {
      ringBefore = ring
      return withReleased(ring)
    })
    let isDeleting = false
    try {
      // Once more, right before: the provider has no conditional delete.
      const now = await lookForWrite(domain, unseenSince)
      isDeleting = now === 'ours'
      if (isDeleting) await api.remove(domain, signal, () => isStillOurs(domain))
      else if (now !== 'nothing') {
        await takeBack(domain, ringBefore)
        return notOurs(domain, now)
      }
      await rings.change(domain, withNothingUnseen)
      const isDone = before === 'ours' || isDeleting
      return isDone ? deleted(domain) : nothingThere(domain)
    } catch (error) {
      if (isDeleting && mayHaveTakenEffect(error)) return unsure(domain, error)
      await takeBack(domain, ringBefore)
      throw error
    }
  }

  async function isStillOurs(domain: string): Promise<boolean> {
    return (await look(domain).catch(unlessBug(null))) === 'ours'
  }

  /** Else nobody would look after what is still there. */
  async function takeBack(domain: string, before: Ring): Promise<void> {
    await rings.change(domain, (ring) => withReleaseTakenBack(ring, before))
  }

  /**
   * Looks until something is there, for as long as a write of this store may still be on its way: a
   * service beside us may have begun one before it could see that the domain is released.
   */
  async function lookForWrite(domain: string, unseenSince: number | null) {
    const isAwaited = () => mayStillShow(unseenSince, clock.now())
    let found = await look(domain)
    if (found === 'nothing' && isAwaited()) {
      log.info('nothing there yet, but a write is on its way: waiting until it shows', {
        domain,
        atMost: showDuration(MAX_LAG_MS),
      })
    }
    while (found === 'nothing' && isAwaited()) {
      await clock.sleep(LOOK_AGAIN_MS, signal)
      found = await look(domain)
    }
    return found
  }

  try {
    return await Promise.all(
      config.domains.map((domain) =>
        deregister(domain).catch((error: unknown) => {
          throwBug(error)
          return { domain, outcome: 'failed' as const, detail: describeError(error) }
        }),
      ),
    )
  } finally {
    await close()
  }
}

function deleted(domain: string): Deregistered {
  const detail =
    'deleted; register takes it up again, and so does a replica with a store of its own: stop those, or deregister there too'
  return { domain, outcome: 'deleted', detail }
}

function nothingThere(domain: string): Deregistered {
  return { domain, outcome: 'nothing_there', detail: 'nothing there' }
}

function unsure(domain: string, error: unknown): Deregistered {
  const detail = `${describeError(error)}; it may be deleted, and is not looked after any more: deregister again, or register`
  return { domain, outcome: 'failed', detail }
}

function notOurs(domain: string, foundUrl: string): Deregistered {
  return { domain, outcome: 'not_ours', detail: `callbacks go to ${foundUrl}; left as it is` }
}
