// Makes every check of `doctor`, side by side.

import { type Overrides, withDefaults } from '../../app/overrides.ts'
import { openPictures } from '../../app/pictures.ts'
import { createProxyFor } from '../../app/proxy/proxy.ts'
import { knownSecrets } from '../../app/secrets.ts'
import { examineStore, openStore, readStore } from '../../app/stores.ts'
import { openInspection, openSinks, probePublicUrl } from '../../app/wiring.ts'
import type { Config } from '../../config/config.ts'
import type { Sink } from '../../ports/sink.ts'
import { checkAudit } from './audit.ts'
import { checkClock } from './clock.ts'
import { checkCredentials } from './credentials.ts'
import { type Finding, findingsOf } from './finding.ts'
import { checkPermissions } from './permissions.ts'
import { checkPictures } from './pictures.ts'
import { checkProxies } from './proxies.ts'
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
  const { domains, publicUrls, liveEndpoint: endpoint, store, clockSkewSeconds } = config
  const secrets = knownSecrets(config)
  const sinks = openSinks(config, overrides)
  const { api, credentials, providerTime, close } = openInspection(config, overrides)
  const [publicUrl] = publicUrls
  const proxyFor = createProxyFor(config.proxies)

  async function checkAccount(): Promise<Finding[]> {
    const found = await checkCredentials(credentials)
    if (found.result === 'problem') return [found, ...withoutCredentials(domains)]
    const each = await Promise.all(domains.map(checkDomain))
    return [found, ...each.flat()]
  }

  async function checkDomain(domain: string): Promise<Finding[]> {
    const permissions = await checkPermissions(domain, { api, publicUrls, write, signal })
    const snapshots = await checkSnapshots(domain, api, signal)
    const { auditIntervalMs } = config
    const isOff = auditIntervalMs === undefined
    const isCut = permissions.some(({ result }) => result === 'problem')
    const audit = await checkAudit(domain, { lists: api, now: clock.now(), isOff, isCut, signal })
    const rest = [...snapshots, audit]
    return [...permissions, ...(isCut ? rest.map(waitingIfUnchecked) : rest)]
  }

  async function checkTime(): Promise<Finding> {
    const askedAt = clock.now()
    const shown = await providerTime(signal)
    // The answer was made somewhere between.
    const now = (askedAt + clock.now()) / 2
    return checkClock({ endpoint, providerTime: shown, now, clockSkewSeconds })
  }

  async function checkSink(sink: Sink): Promise<Finding> {
    const { ok, problem, notChecked } = findingsOf('sink')
    const url = config.sinks.find(({ name }) => name === sink.name)?.url
    if (url !== undefined && proxyFor(url) !== undefined) {
      return notChecked(sink.name, 'is behind the proxy: deliveries show whether it is there')
    }
    const { reachable, detail } = await sink.check(signal)
    if (reachable) return ok(sink.name, detail)
    return problem(sink.name, detail, 'mend its entry in SNAPHOOK_SINKS, or what it leads to')
  }

  try {
    const found = await Promise.all([
      checkProxies(config, signal),
      checkAccount(),
      checkTime(),
      checkPublicUrl(publicUrl, {
        probe: () => probePublicUrl(config, secrets, signal),
        now: clock.now(),
        signal,
        isProxied: proxyFor(publicUrl) !== undefined,
      }),
      checkStore(store, {
        open: (path) => {
          const place = { kind: 'sqlite', path } as const
          return openStore({ ...config, store: place }, secrets, overrides)
        },
        // A schema is made by the service, not by whoever looks whether it can be.
        examine: examineStore,
        elapsed: clock.elapsed,
      }),
      ...sinks.map((sink) => checkSink(sink)),
      checkPictures(config.images, {
        pictures: openPictures(config, overrides),
        latestIn: (bucket) => latestIn(config, overrides, bucket, clock.now()),
        fetch: globalThis.fetch,
        signal,
      }),
    ])
    return found.flat()
  } finally {
    close()
    await Promise.all(sinks.map((sink) => sink.close()))
  }
}

/** The event of the latest shot that a stream has in a bucket, if there is one. */
function latestIn(config: Config, overrides: Overrides, bucket: string, now: number) {
  return readStore(config, overrides, async (store) => {
    const all = { domain: null, app: null, state: null, q: null, after: null } as const
    const { streams } = await store.findStreams({ ...all, order: 'recent', limit: 1_000, now })
    const found = streams.find(({ latest }) => latest.bucket === bucket)?.latest
    return found === undefined ? null : store.findEvent(found.id, found.seq)
  })
}

/** What was not checked waits for the call that failed first, unless it has advice of its own. */
function waitingIfUnchecked(finding: Finding): Finding {
  if (finding.result !== 'not_checked' || finding.next !== null) return finding
  return findingsOf(finding.check).notChecked(finding.subject, 'waits for the call above')
}

function withoutCredentials(domains: readonly string[]): Finding[] {
  return (['permission', 'snapshots', 'audit'] as const).flatMap((check) =>
    domains.map((domain) => findingsOf(check).notChecked(domain, 'takes credentials')),
  )
}
