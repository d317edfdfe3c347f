// What goes on by itself while a service listens: registrar and audit only while this replica owns them.
import type { Config } from '../config/config.ts'
import type { Auditor } from '../flows/audit/auditor.ts'
import type { RingKeeper } from '../flows/keys/key-rings.ts'
import { probeAfterStart } from '../flows/reachability.ts'
import type { Registrar } from '../flows/register/registrar.ts'
import { fillStreams } from '../flows/retain/fill-streams.ts'
import type { Janitor } from '../flows/retain/janitor.ts'
import { whileOwner } from '../flows/tenure.ts'
import type { Leases } from '../ports/leases.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import type { Secrets } from './secrets.ts'
import type { ReadableStore } from './stores.ts'
import { probePublicUrl } from './wiring.ts'

/** Resolves when all of it has ended, after `signal` has aborted. */
export function runInBackground(
  config: Config,
  deps: {
    store: ReadableStore
    isShared: boolean
    leases: Leases
    secrets: Secrets
    rings: RingKeeper
    registrar: Registrar
    janitor: Janitor
    auditor: Auditor
    metrics: Metrics
  },
  overrides: Overrides,
  signal: AbortSignal,
): Promise<unknown> {
  const { store, isShared, leases, secrets, rings, registrar, janitor, auditor, metrics } = deps
  const { log, clock } = withDefaults(overrides)
  const asOwner = (task: string, run: (until: AbortSignal) => Promise<void>) =>
    whileOwner(leases, task, signal, ({ lost }) => run(AbortSignal.any([signal, lost])))
  return Promise.all([
    asOwner('registrar', registrar.run),
    rings.run(signal),
    janitor.run(signal),
    asOwner('audit', auditor.run),
    isShared && auditor.runBeside(signal),
    // Those of a shared store are counted by the owner of that task.
    !isShared && fillStreams({ store, clock, log, signal }),
    probeAfterStart({
      publicUrl: config.publicUrls[0],
      send: (until) => probePublicUrl(config, secrets, until),
      clock,
      metrics,
      log,
      signal,
    }),
  ])
}
