// A registrar for a command: beside a running service, on the same store, for as long as it takes.
import type { Config } from '../config.ts'
import { createKeySearch } from '../core/notify-key.ts'
import { createRegistrar, type Registrar } from '../flows/registrar.ts'
import { createRingKeeper, type RingKeeper } from '../flows/ring-keeper.ts'
import type { Clock, LiveApi } from '../ports.ts'
import { loadSecrets, openApi, type World } from '../service.ts'
import { createSeals } from '../store/seal.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemClock } from '../system-clock.ts'

export type OpenRegistrar = {
  readonly rings: RingKeeper
  readonly registrar: Registrar
  readonly api: LiveApi
  readonly clock: Clock
  close(): Promise<void>
}

/** Opens what it takes to register `domains`; key ages are left to the service. */
export async function openRegistrar(
  config: Config,
  world: World,
  domains: readonly string[] = config.domains,
): Promise<OpenRegistrar> {
  const { log, clock = systemClock, random = Math.random } = world
  const { publicUrls, takeover } = config
  const secrets = loadSecrets(config)
  const seals = createSeals(secrets)
  const store = await openSqliteStore({ path: config.storePath, seals, now: clock.now })
  const graceSeconds = config.keyGraceSeconds
  const rings = createRingKeeper({ domains, publicUrls, secrets, graceSeconds, store, clock, log })
  const connection = openApi(config, world, () => undefined)
  await rings.load()
  const registrar = createRegistrar({
    domains,
    publicUrls,
    takeover,
    intervalMs: config.reconcileIntervalMs,
    keyMaxAgeMs: undefined,
    secrets,
    search: createKeySearch(secrets),
    rings,
    api: connection.api,
    clock,
    random,
    metrics: { registration() {}, changed() {}, keyInForce() {} },
    log,
  })
  return {
    rings,
    registrar,
    api: connection.api,
    clock,
    async close() {
      connection.close()
      await store.close()
    },
  }
}
