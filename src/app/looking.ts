// What the commands share that only look: the store if there is one, and the secrets if there are any.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { MIN_SECRET_BYTES, type Secret, secretFrom } from '../core/keys/notify-key.ts'
import type { Store } from '../ports/store.ts'
import { createSeals } from '../store/sealed-rings/seal.ts'
import { loadSecret } from '../store/secret-file.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemClock } from './system-clock.ts'
import { secretPath, secretsFromText } from './wiring.ts'

/** The secrets of the service; where none exists yet, one that matches no key. Makes nothing. */
export function knownSecrets(config: Config): [Secret, ...Secret[]] {
  const text = config.secrets ? undefined : loadSecret(secretPath(config))
  const given = config.secrets ?? (text ? secretsFromText(text) : [randomBytes(MIN_SECRET_BYTES)])
  return given.map(secretFrom) as [Secret, ...Secret[]]
}

/** The store, read-only; null where there is none yet. */
export async function openForLooking(
  config: Config,
  secrets: readonly Secret[],
): Promise<Store | null> {
  if (!existsSync(config.storePath)) return null
  const seals = createSeals(secrets)
  return openSqliteStore({ path: config.storePath, seals, now: systemClock.now, readOnly: true })
}
