// What the service and the commands are both put together from: the provider's API, the sinks, and
// the registrar with its rings.
import { randomBytes } from 'node:crypto'
import { readApiTime } from '../cloud/api-time.ts'
import { createCredentials } from '../cloud/credentials.ts'
import { createLiveApi, type OnCall } from '../cloud/live-api.ts'
import type { Config } from '../config/config.ts'
import { createKeySearch } from '../core/keys/notify-key.ts'
import type { Probed } from '../core/probe.ts'
import { createRingKeeper, type RingKeeper } from '../flows/keys/key-rings.ts'
import { createRegistrar, type Registrar } from '../flows/register/registrar.ts'
import { sendProbe } from '../http/public/probe.ts'
import type { SnapshotLists } from '../ports/audit.ts'
import type { Clock } from '../ports/clock.ts'
import type { CredentialsProvider } from '../ports/credentials.ts'
import type { LiveApi, LiveInspection } from '../ports/live-api.ts'
import type { RegistrarMetrics, RingMetrics } from '../ports/metrics.ts'
import type { Sink } from '../ports/sink.ts'
import type { Store } from '../ports/store.ts'
import { createSinks } from '../sinks/create-sinks.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import { createProxyFor } from './proxy/proxy.ts'
import { loadSecrets, type Secrets } from './secrets.ts'
import { openStore } from './stores.ts'

/** Never the same twice. */
const NONCE_BYTES = 16

/** The provider's API, or what stands for it; `close` ends its connections. */
export function openApi(
  config: Config,
  overrides: Overrides,
  onCall: OnCall = () => undefined,
): { api: LiveApi; lists: SnapshotLists; close(): void } {
  const { clock, credentials = createCredentials() } = withDefaults(overrides)
  const live = createLiveApi({
    endpoint: config.liveEndpoint,
    proxy: createProxyFor(config.proxies)(config.liveEndpoint),
    credentials,
    clock,
    onCall,
  })
  return { api: overrides.api ?? live, lists: live, close: live.close }
}

/** What `doctor` looks at the provider with; `close` ends its connections. */
export function openInspection(config: Config, overrides: Overrides) {
  const { clock, credentials = createCredentials() } = withDefaults(overrides)
  const { liveEndpoint: endpoint } = config
  const api = createLiveApi({
    endpoint,
    proxy: createProxyFor(config.proxies)(endpoint),
    credentials,
    clock,
    onCall: () => undefined,
  })
  return {
    api: api as LiveApi & LiveInspection & SnapshotLists,
    credentials: credentials as CredentialsProvider,
    providerTime: (signal: AbortSignal) => readApiTime(endpoint, signal),
    close: api.close,
  }
}

/** Asks through the public URL whether it leads to a holder of our secrets. Never rejects. */
export function probePublicUrl(
  { publicUrls: [publicUrl] }: Config,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<Probed> {
  const nonce = randomBytes(NONCE_BYTES).toString('base64url')
  return sendProbe(publicUrl, nonce, secrets, signal)
}

/** The sinks of the settings, or what stands for them. */
export function openSinks(
  { sinks, webhookSecrets }: Config,
  overrides: Overrides,
): readonly Sink[] {
  const { stdout, clock } = withDefaults(overrides)
  return overrides.sinks ?? createSinks(sinks, { stdout, webhookSecrets, now: clock.now })
}

/** The rings of `domains` in memory, still to be loaded, and the registrar that works on them. */
export function createRegistration(
  config: Config,
  deps: {
    domains: readonly string[]
    keyMaxAgeMs: number | undefined
    secrets: Secrets
    store: Store
    api: LiveApi
    metrics: RegistrarMetrics & RingMetrics
    countsTime?: () => boolean
    mayWrite?: () => boolean
  },
  overrides: Overrides,
): { rings: RingKeeper; registrar: Registrar } {
  const { log, clock, random } = withDefaults(overrides)
  const { publicUrls, takeover, reconcileIntervalMs: intervalMs, keyGraceSeconds } = config
  const shared = { ...deps, publicUrls, clock, random, log }
  const rings = createRingKeeper({ ...shared, graceSeconds: keyGraceSeconds })
  const search = createKeySearch(deps.secrets)
  return { rings, registrar: createRegistrar({ ...shared, takeover, intervalMs, search, rings }) }
}

export type OpenRegistrar = {
  readonly rings: RingKeeper
  readonly registrar: Registrar
  readonly api: LiveApi
  readonly clock: Clock
  close(): Promise<void>
}

/**
 * A registrar for a command, beside a running service on the same store, for as long as it takes.
 * Key ages are left to the service.
 */
export async function openRegistrar(
  config: Config,
  overrides: Overrides,
  domains: readonly string[] = config.domains,
): Promise<OpenRegistrar> {
  const { clock } = withDefaults(overrides)
  const secrets = loadSecrets(config)
  const store = await openStore(config, secrets, overrides)
  const { api, close } = openApi(config, overrides)
  const metrics = { registration() {}, changed() {}, keyInForce() {}, lastCallback() {} }
  const deps = { domains, keyMaxAgeMs: undefined, secrets, store, api, metrics }
  const { rings, registrar } = createRegistration(config, deps, overrides)
  await rings.load()
  return {
    rings,
    registrar,
    api,
    clock,
    async close() {
      close()
      await store.close()
    },
  }
}
