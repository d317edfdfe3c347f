// Deletes the registrations that are ours, and nothing else. It stays done, beside a running service
// too: the ring says so before the provider is touched.
import type { Config } from '../config.ts'
import { showDuration } from '../core/duration.ts'
import { withReleased, withUnseen } from '../core/key-ring.ts'
import { notifyUrl, showUrl } from '../core/notify-url.ts'
import {
  formerNotifyUrls,
  isOurUrl,
  MAX_LAG_MS,
  mayStillShow,
  type Observed,
} from '../core/registration.ts'
import { describeError } from '../errors.ts'
import type { World } from '../parts.ts'
import { openRegistrar } from './open-registrar.ts'

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
  world: World,
  signal: AbortSignal,
): Promise<Deregistered[]> {
  const { rings, api, clock, close } = await openRegistrar(config, world)
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
    const { unseenSince } = await rings.change(domain, withReleased)
    // Once more, right before: the provider has no conditional delete.
    const now = await lookForWrite(domain, unseenSince)
    if (now === 'ours') await api.remove(domain, signal)
    else if (now !== 'nothing') return notOurs(domain, now)
    await rings.change(domain, (ring) => withUnseen(ring, null))
    if (before === 'nothing' && now === 'nothing') {
      return { domain, outcome: 'nothing_there', detail: 'nothing there' }
    }
    return { domain, outcome: 'deleted', detail: 'deleted; register takes it up again' }
  }

  /**
   * Looks until something is there, for as long as a write of this store may still be on its way: a
   * service beside us may have begun one before it could see that the domain is released.
   */
  async function lookForWrite(domain: string, unseenSince: number | null) {
    const isAwaited = () => mayStillShow(unseenSince, clock.now())
    let found = await look(domain)
    if (found === 'nothing' && isAwaited()) {
      world.log.info('nothing there yet, but a write is on its way: waiting until it shows', {
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
          return { domain, outcome: 'failed' as const, detail: describeError(error) }
        }),
      ),
    )
  } finally {
    await close()
  }
}

function notOurs(domain: string, foundUrl: string): Deregistered {
  return { domain, outcome: 'not_ours', detail: `callbacks go to ${foundUrl}; left as it is` }
}
