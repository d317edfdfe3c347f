// A registrar with everything around it in memory, on a clock that the test moves.

import type { CallbackOutcome } from '../../../src/core/events/callback.ts'
import { EMPTY_RING, type Ring } from '../../../src/core/keys/key-ring.ts'
import {
  createKeySearch,
  notifyKey,
  type Secret,
  secretFrom,
} from '../../../src/core/keys/notify-key.ts'
import { sign } from '../../../src/core/keys/signature.ts'
import { createRingKeeper } from '../../../src/flows/keys/key-rings.ts'
import { createReceiver } from '../../../src/flows/receive/receiver.ts'
import { createRegistrar } from '../../../src/flows/register/registrar.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi, keptLog, keptMetrics } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { createSteps, type Steps } from '../../support/registration/steps.ts'
import { memoryStore } from '../../support/store/memory-store.ts'

export const DOMAIN = 'play.example.com'
export const PUBLIC_URL = 'https://hook.example.com'
export const OUR_URL = `${PUBLIC_URL}/callbacks/${DOMAIN}`
export const ELSEWHERE = 'https://elsewhere.example.com/cb'
/** As it is shown: its path may hold a token. */
export const ELSEWHERE_SHOWN = 'https://elsewhere.example.com/…'
export const FOREIGN = 'setByHandInConsole1'
export const NEW = secretFrom(new Uint8Array(32).fill(1))
export const OLD = secretFrom(new Uint8Array(32).fill(2))
export const keyAt = (generation: number) => notifyKey(NEW, DOMAIN, generation)
export const KEY = keyAt(0)
export const INTERVAL_MS = 300_000
export const GRACE_SECONDS = 2 * 3_600
/** What is configured where all is as it should be. */
export const ours = (key: string) => ({ kind: 'present', url: OUR_URL, auth: true, key })
/** As often as uses of keys are written back. */
const ALONE_INTERVAL_MS = 60_000
/** Shared, since a search that finds nothing costs a thousand hashes. */
const search = createKeySearch([NEW, OLD])
const HOST = new URL(PUBLIC_URL).host

type Over = {
  domains?: readonly string[]
  takeover?: boolean
  keyMaxAgeMs?: number
  publicUrls?: [string, ...string[]]
  store?: ReturnType<typeof memoryStore>
  provider?: ReturnType<typeof fakeApi>
  clock?: ReturnType<typeof manualClock>
  secrets?: [Secret, Secret]
  graceSeconds?: number
  /** One half, if not given: waits are three quarters, intervals exact. */
  random?: number
  /** Stands before the provider. */
  api?: LiveApi
  /** Each call to the store and to the provider is one of these. */
  steps?: Steps
  /** Nobody else writes to the store, so that it need not be followed by the second. */
  alone?: boolean
  /** Whether it still owns what it is about to write. */
  mayWrite?: () => boolean
}

/** Not started. */
export async function registration(over: Over = {}) {
  const { takeover = false, publicUrls = [PUBLIC_URL], store = memoryStore() } = over
  const clock = over.clock ?? manualClock()
  const provider = over.provider ?? fakeApi(clock.now)
  const log = keptLog()
  const kept = keptMetrics()
  const { secrets = [NEW, OLD], graceSeconds = GRACE_SECONDS, steps = createSteps(() => {}) } = over
  const { domains = [DOMAIN] } = over
  const rings = createRingKeeper({
    domains,
    publicUrls,
    secrets,
    graceSeconds,
    store: steps.told(store),
    clock: over.alone ? slow(clock) : clock,
    metrics: kept.metrics,
    log,
  })
  await rings.load()
  const registrar = createRegistrar({
    domains,
    publicUrls,
    takeover,
    intervalMs: INTERVAL_MS,
    keyMaxAgeMs: over.keyMaxAgeMs,
    secrets,
    search: over.secrets ? createKeySearch(secrets) : search,
    ...(over.mayWrite && { mayWrite: over.mayWrite }),
    rings,
    api: steps.told(over.api ?? provider.api),
    clock,
    random: () => over.random ?? 0.5,
    metrics: kept.metrics,
    log,
  })
  const receiver = createReceiver({
    domains,
    skewSeconds: undefined,
    keys: { ...rings, ...registrar },
    events: store,
    clock,
    metrics: { callback() {}, verified() {}, flagged() {} },
    log,
  })
  const ended = new AbortController()
  let running: Promise<unknown> = Promise.resolve()
  return {
    ...kept,
    store,
    clock,
    provider,
    log,
    rings,
    registrar,
    set(url: string, key: string | null, auth = true): void {
      provider.configurations.set(DOMAIN, { kind: 'present', url, auth, key })
    },
    configured: () => provider.configurations.get(DOMAIN),
    view: () => registrar.views()[0],
    accepts: (key: string) => rings.accepted(DOMAIN).keys.some((each) => each.key === key),
    /** What a callback that is signed with `key` comes to; no time passes. */
    async callback(key: string): Promise<CallbackOutcome> {
      const timestamp = String(Math.floor(clock.now() / 1_000))
      const outcome = receiver.receive({
        domain: DOMAIN,
        method: 'POST',
        contentLength: undefined,
        timestamp,
        signature: sign(HOST, timestamp, key),
        readBody: async () => Buffer.from('{}'),
      })
      await clock.advance(0)
      return outcome
    },
    start(): Promise<void> {
      running = Promise.all([registrar.run(ended.signal), rings.run(ended.signal)])
      return clock.advance(0)
    },
    async [Symbol.asyncDispose](): Promise<void> {
      ended.abort()
      await running
    },
  }
}

/** What a command does to the ring, on the same store. */
export async function commanded(
  { store }: Awaited<ReturnType<typeof registration>>,
  alter: (ring: Ring) => Ring,
): Promise<void> {
  const { ring, revision } = store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
  await store.saveRing(DOMAIN, alter(ring), revision)
}

/** The same clock for a sleeper that need not wake so often. */
function slow(clock: Clock): Clock {
  return { ...clock, sleep: (ms, signal) => clock.sleep(Math.max(ms, ALONE_INTERVAL_MS), signal) }
}
