// What the commands do that act once and end: look what would change, register, read the store. They
// share the parts of the service and run beside it.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Config } from './config.ts'
import { EMPTY_RING, type Ring, ringGeneration, sameKey } from './core/key-ring.ts'
import { createKeySearch, secretFrom } from './core/notify-key.ts'
import { notifyUrl } from './core/notify-url.ts'
import { explain, plan, type Step } from './core/registration.ts'
import { describeError } from './errors.ts'
import { createRegistrar } from './flows/registrar.ts'
import { createRingKeeper } from './flows/ring-keeper.ts'
import type { RegistrationView, Store } from './ports.ts'
import { loadSecrets, openApi, secretPath, secretsFromText, type World } from './service.ts'
import { createSeals } from './store/seal.ts'
import { loadSecret } from './store/secret-file.ts'
import { openSqliteStore } from './store/sqlite/sqlite-store.ts'
import { systemClock } from './system-clock.ts'

/** How often `register` looks whether all has settled. */
const POLL_MS = 50

export type PlannedDomain = {
  readonly domain: string
  /** What would be done; `failed` where the provider could not be asked. */
  readonly step: Step['kind'] | 'failed'
  readonly changes: boolean
  readonly why: string
}

/** What the service would do now, per domain. Changes nothing, here or there. */
export async function planAll(
  config: Config,
  world: World,
  signal: AbortSignal,
): Promise<PlannedDomain[]> {
  const secrets = knownSecrets(config)
  const store = await openForLooking(config, secrets)
  const { api, close } = openApi(config, world, () => undefined)
  const search = createKeySearch(secrets)
  const [publicUrl, ...formerPublicUrls] = config.publicUrls
  try {
    return await Promise.all(
      config.domains.map(async (domain) => {
        try {
          const ring = (await store?.loadRing(domain))?.ring ?? EMPTY_RING
          const step = plan({
            domain,
            url: notifyUrl(publicUrl, domain),
            formerUrls: formerUrlsOf(ring, formerPublicUrls, domain),
            takeover: config.takeover,
            secrets,
            search,
            ring,
            observed: await api.describe(domain, signal),
          })
          const changes = 'write' in step || step.kind === 'conflict'
          return { domain, step: step.kind, changes, why: explain(step) }
        } catch (error) {
          return { domain, step: 'failed' as const, changes: false, why: describeError(error) }
        }
      }),
    )
  } finally {
    close()
    await store?.close()
  }
}

function formerUrlsOf(ring: Ring, formerPublicUrls: readonly string[], domain: string): string[] {
  const configured = formerPublicUrls.map((url) => notifyUrl(url, domain))
  return [...configured, ...[ring.confirmedUrl ?? [], ...ring.formerUrls].flat()]
}

/**
 * Registers every domain and verifies it. Resolves when each has settled one way or the other, or
 * when `signal` aborts.
 */
export async function registerAll(
  config: Config,
  world: World,
  signal: AbortSignal,
): Promise<readonly RegistrationView[]> {
  const { log, clock = systemClock, random = Math.random } = world
  const { domains, publicUrls, takeover } = config
  const secrets = loadSecrets(config)
  const store = await openSqliteStore({
    path: config.storePath,
    seals: createSeals(secrets),
    now: clock.now,
  })
  const { api, close } = openApi(config, world, () => undefined)
  const ended = new AbortController()
  const running = AbortSignal.any([signal, ended.signal])
  try {
    const rings = createRingKeeper({ domains, publicUrls, secrets, store, clock, log })
    await rings.load()
    const registrar = createRegistrar({
      domains,
      publicUrls,
      takeover,
      intervalMs: config.reconcileIntervalMs,
      secrets,
      search: createKeySearch(secrets),
      rings,
      api,
      clock,
      random,
      metrics: { registration() {}, changed() {}, keyInForce() {} },
      log,
    })
    const run = registrar.run(running)
    while (!signal.aborted && registrar.views().some(({ state }) => state === 'pending')) {
      await clock.sleep(POLL_MS, signal)
    }
    ended.abort()
    await run
    return registrar.views()
  } finally {
    close()
    await store.close()
  }
}

export type DomainStatus = {
  readonly domain: string
  readonly url: string | null
  /** -1 foreign; null unknown. */
  readonly generation: number | null
  /** When the key in force was first seen, ISO 8601. */
  readonly keySeenAt: string | null
}

export type StoreStatus = {
  readonly path: string
  readonly events: number
  readonly lastSeq: number
  readonly domains: readonly DomainStatus[]
  readonly sinks: readonly { readonly name: string; readonly lag: number }[]
}

/** What the store knows, or null where there is no store yet. */
export async function readStore(config: Config): Promise<StoreStatus | null> {
  const store = await openForLooking(config, knownSecrets(config))
  if (store === null) return null
  try {
    const { events, lastSeq } = await store.stats()
    const domains = await Promise.all(
      config.domains.map(async (domain) =>
        statusOf(domain, (await store.loadRing(domain))?.ring ?? EMPTY_RING),
      ),
    )
    const sinks = await Promise.all(
      config.sinks.map(async ({ name }) => ({
        name,
        lag: lastSeq - (await store.loadCursor(name)),
      })),
    )
    return { path: config.storePath, events, lastSeq, domains, sinks }
  } finally {
    await store.close()
  }
}

function statusOf(domain: string, ring: Ring): DomainStatus {
  const { current } = ring
  const foreign = current?.kind === 'foreign'
  const seenAt = current && ring.keys.find(({ id }) => sameKey(id, current))?.seenAt
  return {
    domain,
    url: ring.confirmedUrl,
    generation: current === null ? null : foreign ? -1 : ringGeneration(ring),
    keySeenAt: seenAt ? new Date(seenAt).toISOString() : null,
  }
}

/** For a command that only looks: where no secret exists yet, one that matches no key. */
function knownSecrets(config: Config) {
  const text = config.secrets ? undefined : loadSecret(secretPath(config))
  const given = config.secrets ?? (text ? secretsFromText(text) : [randomBytes(32)])
  return given.map(secretFrom) as ReturnType<typeof loadSecrets>
}

async function openForLooking(
  config: Config,
  secrets: ReturnType<typeof knownSecrets>,
): Promise<Store | null> {
  if (!existsSync(config.storePath)) return null
  const seals = createSeals(secrets)
  return openSqliteStore({ path: config.storePath, seals, now: systemClock.now, readOnly: true })
}
