// The settings of a run: read once, from names and texts that are passed in, into values that are
// right, or into every problem at once. A message says what to do and never repeats a secret.
import { Problem } from '../core/problem.ts'
import type { StorePlace } from '../core/store-place.ts'
import { crossCheck, retentionMax } from './cross-checks.ts'
import { type Environment, gather, type ReadFile } from './environment.ts'
import { type Proxies, readProxies } from './proxies.ts'
import { readSetting } from './setting.ts'
import { SETTINGS, type Values } from './settings.ts'

type Jwks = { readonly url: string; readonly issuer: string; readonly audience: string }

export type Config = Omit<Values, 'apiJwksUrl' | 'apiIssuer' | 'apiAudience'> & {
  /** Whose tokens the API takes beside its own. */
  readonly apiJwks: Jwks | undefined
  /** Undefined: requests go where they are sent. */
  readonly proxies: Proxies | undefined
}

type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] }

/** All settings from the environment; `readFile` returns the text of a file, or throws. */
export function readConfig(env: Environment, readFile: ReadFile): Read<Config> {
  const { given, problems } = gather(env, readFile)
  const read = Object.entries(SETTINGS).map(
    ([key, setting]) => [key, readSetting<unknown>(setting, given[setting.env])] as const,
  )
  for (const [, value] of read) if (value instanceof Problem) problems.push(value.sentence)
  const right = Object.fromEntries(read.filter(([, value]) => !(value instanceof Problem)))
  problems.push(...crossCheck(right as Partial<Values>, given))
  const proxies = readProxies(env)
  if (proxies instanceof Problem) problems.push(proxies.sentence)
  if (problems.length > 0 || proxies instanceof Problem) return { ok: false, problems }
  const { apiJwksUrl, apiIssuer, apiAudience, ...values } = right as Values
  return {
    ok: true,
    value: {
      ...values,
      proxies,
      retentionMaxMs: retentionMax(values, given),
      apiJwks:
        apiJwksUrl && apiIssuer && apiAudience
          ? { url: apiJwksUrl, issuer: apiIssuer, audience: apiAudience }
          : undefined,
    },
  }
}

/** The one setting that `token` needs. */
export function readApiSecretSetting(env: Environment, readFile: ReadFile): Read<string> {
  const { given, problems } = gather(env, readFile)
  const secret = readSetting(SETTINGS.apiSecret, given.SNAPHOOK_API_SECRET)
  if (secret instanceof Problem) problems.push(secret.sentence)
  else if (secret !== undefined && problems.length === 0) return { ok: true, value: secret }
  if (problems.length === 0) problems.push('SNAPHOOK_API_SECRET is required: it signs the token')
  return { ok: false, problems }
}

/** The one setting that `copy-store` may need. */
export function readStoreSetting(env: Environment, readFile: ReadFile): Read<StorePlace> {
  const { given, problems } = gather(env, readFile)
  const store = readSetting(SETTINGS.store, given.SNAPHOOK_STORE)
  if (store instanceof Problem) problems.push(store.sentence)
  else if (problems.length === 0) return { ok: true, value: store }
  return { ok: false, problems }
}
