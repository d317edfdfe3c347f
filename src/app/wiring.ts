// The parts that the service and the commands that act once are both made of.
import { randomBytes } from 'node:crypto'
import { type CredentialsProvider, createCredentials } from '../cloud/credentials.ts'
import { createLiveApi } from '../cloud/live-api.ts'
import type { Config } from '../config/config.ts'
import { createKeySearch, parseSecret, type Secret, secretFrom } from '../core/keys/notify-key.ts'
import { createRingKeeper, type RingKeeper } from '../flows/keys/key-rings.ts'
import { createRegistrar, type Registrar } from '../flows/register/registrar.ts'
import type { SnapshotLists } from '../ports/audit.ts'
import type { Clock, Random } from '../ports/clock.ts'
import type { LiveApi } from '../ports/live-api.ts'
import type { Log } from '../ports/log.ts'
import type { RegistrarMetrics, RingMetrics } from '../ports/metrics.ts'
import type { Sink } from '../ports/sink.ts'
import type { Store } from '../ports/store.ts'
import { createSinks } from '../sinks/create-sinks.ts'
import type { Output } from '../sinks/stdout.ts'
import { loadOrCreateSecret } from '../store/secret-file.ts'
import type { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemClock } from './system-clock.ts'

/** Never the same twice. */
const NONCE_BYTES = 16

/** What comes from outside; all but log and standard output have a default, and tests replace it. */
export type World = {
  readonly log: Log
  readonly stdout: Output
  readonly clock?: Clock
  readonly random?: Random
  readonly credentials?: CredentialsProvider
  readonly api?: LiveApi
  readonly sinks?: readonly Sink[]
  readonly openStore?: typeof openSqliteStore
  /** How late the audit looks, and how soon after a start: nobody waits for minutes in a test. */
  readonly audit?: { readonly marginMs?: number; readonly firstAfterMs?: number }
}

/** A nonce for a probe. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url')
}

/** The secrets of the settings, or the one beside the store, which is made when it is missing. */
export function loadSecrets(config: Config): [Secret, ...Secret[]] {
  const given =
    config.secrets ?? secretsFromText(loadOrCreateSecret(secretPath(config), randomBytes))
  return given.map(secretFrom) as [Secret, ...Secret[]]
}

export function secretsFromText(text: string): Uint8Array[] {
  return text.split(',').flatMap((secret) => parseSecret(secret.trim()) ?? [])
}

/** Where the secret is kept when none is given: beside the store. */
export function secretPath({ storePath }: Config): string {
  return storePath.replace(/[^/]*$/, 'snaphook.secret')
}

/** The provider's API, or what stands for it; `close` ends its connections. */
export function openApi(
  config: Config,
  world: World,
  onCall: Parameters<typeof createLiveApi>[0]['onCall'],
): { api: LiveApi; lists: SnapshotLists; close(): void } {
  const { clock = systemClock, credentials = createCredentials() } = world
  const live = createLiveApi({ endpoint: config.liveEndpoint, credentials, clock, onCall })
  return { api: world.api ?? live, lists: live, close: live.close }
}

/** The sinks of the settings, or what stands for them. */
export function openSinks(
  { sinks, webhookSecrets }: Config,
  { sinks: given, stdout, clock = systemClock }: World,
): readonly Sink[] {
  return given ?? createSinks(sinks, { stdout, webhookSecrets, now: clock.now })
}

/** The rings of `domains` in memory, still to be loaded, and the registrar that works on them. */
export function createRegistration(
  config: Config,
  parts: {
    domains: readonly string[]
    keyMaxAgeMs: number | undefined
    secrets: readonly [Secret, ...Secret[]]
    store: Store
    api: LiveApi
    metrics: RegistrarMetrics & RingMetrics
  },
  { log, clock = systemClock, random = Math.random }: World,
): { rings: RingKeeper; registrar: Registrar } {
  const { publicUrls, takeover, reconcileIntervalMs: intervalMs, keyGraceSeconds } = config
  const shared = { ...parts, publicUrls, clock, random, log }
  const rings = createRingKeeper({ ...shared, graceSeconds: keyGraceSeconds })
  const search = createKeySearch(parts.secrets)
  return { rings, registrar: createRegistrar({ ...shared, takeover, intervalMs, search, rings }) }
}
