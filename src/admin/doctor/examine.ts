// Makes every check of `doctor`, side by side.

import { type Overrides, withDefaults } from '../../app/overrides.ts'
import { knownSecrets } from '../../app/secrets.ts'
import { openStore } from '../../app/stores.ts'
import { openInspection, openSinks, probePublicUrl } from '../../app/wiring.ts'
import type { Config } from '../../config/config.ts'
import type { Sink } from '../../ports/sink.ts'
import { checkClock } from './clock.ts'
import { checkCredentials } from './credentials.ts'
import { type Finding, findingsOf } from './finding.ts'
import { checkPermissions } from './permissions.ts'
import { checkPublicUrl } from './public-url.ts'
import { checkSnapshots } from './snapshots.ts'
import { checkStore } from './store.ts'

/** All findings, in the order of the checks. `write`: also try the permission to write. */
export async function examine(
  config: Config,
  overrides: Overrides,
  { write, signal }: { write: boolean; signal: AbortSignal },
): Promise<Finding[]> {
  const { clock } = withDefaults(overrides)
  const { domains, publicUrls, liveEndpoint: endpoint, storePath, clockSkewSeconds } = config
  const secrets = knownSecrets(config)
  const sinks = openSinks(config, overrides)
  const { api, credentials, providerTime, close } = openInspection(config, overrides)
  const [publicUrl] = publicUrls

  async function checkAccount(): Promise<Finding[]> {
    const found = await checkCredentials(credentials)
    if (found.result === 'problem') return [found, ...withoutCredentials(domains)]
    const each = domains.map(async (domain) => [
      ...(await checkPermissions(domain, { api, publicUrls, write, signal })),
      ...(await checkSnapshots(domain, api, signal)),
    ])
    return [found, ...(await Promise.all(each)).flat()]
  }

  async function checkTime(): Promise<Finding> {
    const askedAt = clock.now()
    const shown = await providerTime(signal)
    // The answer was made somewhere between.
    const now = (askedAt + clock.now()) / 2
    return checkClock({ endpoint, providerTime: shown, now, clockSkewSeconds })
  }

  try {
    const found = await Promise.all([
      checkAccount(),
      checkTime(),
      checkPublicUrl(publicUrl, {
        probe: () => probePublicUrl(config, secrets, signal),
        now: clock.now(),
        signal,
      }),
      checkStore(
        storePath,
        (path) => openStore({ ...config, storePath: path }, secrets, overrides),
        clock.elapsed,
      ),
      ...sinks.map((sink) => checkSink(sink, signal)),
    ])
    return found.flat()
  } finally {
    close()
    await Promise.all(sinks.map((sink) => sink.close()))
  }
}

function withoutCredentials(domains: readonly string[]): Finding[] {
  return (['permission', 'snapshots'] as const).flatMap((check) =>
    domains.map((domain) => findingsOf(check).notChecked(domain, 'takes credentials')),
  )
}

async function checkSink(sink: Sink, signal: AbortSignal): Promise<Finding> {
  const { ok, problem } = findingsOf('sink')
  const { reachable, detail } = await sink.check(signal)
  if (reachable) return ok(sink.name, detail)
  return problem(sink.name, detail, 'mend its entry in SNAPHOOK_SINKS, or what it leads to')
}
