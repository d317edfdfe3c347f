// A registrar for a command: beside a running service, on the same store, for as long as it takes.
import type { Config } from '../config/config.ts'
import type { RingKeeper } from '../flows/keys/key-rings.ts'
import type { Registrar } from '../flows/register/registrar.ts'
import type { Clock } from '../ports/clock.ts'
import type { LiveApi } from '../ports/live-api.ts'
import { createSeals } from '../store/sealed-rings/seal.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemClock } from './system-clock.ts'
import { createRegistration, loadSecrets, openApi, type World } from './wiring.ts'

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
  const { clock = systemClock, openStore = openSqliteStore } = world
  const secrets = loadSecrets(config)
  const seals = createSeals(secrets)
  const store = await openStore({ path: config.storePath, seals, now: clock.now })
  const connection = openApi(config, world, () => undefined)
  const metrics = { registration() {}, changed() {}, keyInForce() {}, lastCallback() {} }
  const { rings, registrar } = createRegistration(
    config,
    { domains, keyMaxAgeMs: undefined, secrets, store, api: connection.api, metrics },
    world,
  )
  await rings.load()
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
