// The public listener, put together: the receiver of callbacks over the store.
import type { Config } from '../config/config.ts'
import type { CallbackOutcome } from '../core/events/callback.ts'
import type { Auditor } from '../flows/audit/auditor.ts'
import type { RingKeeper } from '../flows/keys/key-rings.ts'
import { createReceiver } from '../flows/receive/receiver.ts'
import type { Registrar } from '../flows/register/registrar.ts'
import { createCallbackApp } from '../http/public/callback-app.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import type { Secrets } from './secrets.ts'
import type { ReadableStore } from './stores.ts'

/** Callbacks that were turned away, and not through a fault of their own: the audit looks for them. */
const NOT_TAKEN: ReadonlySet<CallbackOutcome> = new Set<CallbackOutcome>([
  'no_key',
  'overloaded',
  'store_failed',
])

/** The app of the public listener. */
export function createCallbacks(
  config: Config,
  deps: {
    store: ReadableStore
    rings: RingKeeper
    registrar: Pick<Registrar, 'look' | 'isUnsure'>
    secrets: Secrets
    metrics: Metrics
    auditor: Pick<Auditor, 'turnedAway'>
  },
  overrides: Overrides,
) {
  const { store, rings, registrar, secrets, metrics, auditor } = deps
  const { log, clock } = withDefaults(overrides)
  const receiver = createReceiver({
    domains: config.domains,
    skewSeconds: config.clockSkewSeconds,
    keys: { ...rings, ...registrar },
    events: store,
    clock,
    metrics: {
      ...metrics,
      callback(domain, outcome, seconds) {
        metrics.callback(domain, outcome, seconds)
        if (NOT_TAKEN.has(outcome)) auditor.turnedAway(domain)
      },
    },
    log,
  })
  return createCallbackApp({ receiver, ...rings, secrets, log })
}
