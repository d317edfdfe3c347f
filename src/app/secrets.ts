// Where the secrets come from: the settings, or a file beside the store.
import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { MIN_SECRET_BYTES, parseSecret, type Secret, secretFrom } from '../core/keys/notify-key.ts'
import { loadOrCreateSecret, loadSecret } from '../store/secret-file.ts'

export type Secrets = readonly [Secret, ...Secret[]]

/** The secrets of the settings, or the one beside the store, which is made when it is missing. */
export function loadSecrets(config: Config): Secrets {
  const given =
    config.secrets ?? secretsFromText(loadOrCreateSecret(secretPath(config), randomBytes))
  return given.map(secretFrom) as [Secret, ...Secret[]]
}

/** The secrets of the service; where none exists yet, one that matches no key. Makes nothing. */
export function knownSecrets(config: Config): Secrets {
  const text = config.secrets ? undefined : loadSecret(secretPath(config))
  const given = config.secrets ?? (text ? secretsFromText(text) : [randomBytes(MIN_SECRET_BYTES)])
  return given.map(secretFrom) as [Secret, ...Secret[]]
}

function secretsFromText(text: string): Uint8Array[] {
  return text.split(',').flatMap((secret) => parseSecret(secret.trim()) ?? [])
}

/** Where the secret is kept when none is given: beside the store. */
function secretPath({ storePath }: Config): string {
  return storePath.replace(/[^/]*$/, 'snaphook.secret')
}
