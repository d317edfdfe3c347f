// Deletes the registrations that are ours, and nothing else. It stays done, beside a running service
// too: the ring says so before the provider is touched.
import type { Config } from '../config.ts'
import { withReleased } from '../core/key-ring.ts'
import { notifyUrl, showUrl } from '../core/notify-url.ts'
import { formerNotifyUrls, isOurUrl, type Observed } from '../core/registration.ts'
import { describeError } from '../errors.ts'
import type { World } from '../parts.ts'
import { openRegistrar } from './open-registrar.ts'

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
  const { rings, api, close } = await openRegistrar(config, world)
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
    await rings.change(domain, withReleased)
    if (before === 'nothing') return { domain, outcome: 'nothing_there', detail: 'nothing there' }
    // Once more, right before: the provider has no conditional delete.
    const now = await look(domain)
    if (now === 'ours') await api.remove(domain, signal)
    else if (now !== 'nothing') return notOurs(domain, now)
    return { domain, outcome: 'deleted', detail: 'deleted; register takes it up again' }
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
