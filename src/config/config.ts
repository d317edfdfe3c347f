// The settings: read once, from names and texts that are passed in, into a value that is right, or
// into every problem at once. A message says what to do and never repeats a secret.
import { z } from 'zod'
import { parseDuration } from '../core/duration.ts'
import { MAX_NOTIFY_URL_LENGTH, notifyUrl } from '../core/registration/notify-url.ts'
import {
  type Address,
  Problem,
  readAddress,
  readApiSecret,
  readDomains,
  readPlainUrl,
  readPublicUrls,
  readSecrets,
  readSinks,
  readStoreMax,
  readStorePath,
  readWebhookSecrets,
  type StoreMax,
  WEBHOOK_SECRET_ADVICE,
} from './readers.ts'

/** Values of `DEBUG` that make the HTTP library under pop-core print what it sends. */
const PRINTS_API_CALLS = /(^|[\s,])(\*|httpx)/
/** May be given as the path of a file, under the name with `_FILE` behind it. */
export const SECRET_NAMES = [
  'SNAPHOOK_SECRET',
  // URLs of sinks hold logins and tokens.
  'SNAPHOOK_SINKS',
  'SNAPHOOK_WEBHOOK_SECRET',
  'SNAPHOOK_API_SECRET',
] as const
export const FILE_SUFFIX = '_FILE'

const text = z.string()

/** A setting that `read` turns into a value, or into a problem: a sentence without the name. */
function setting<T>(read: (given: string) => T | Problem) {
  return text.transform((given, context): T => {
    const value = read(given)
    if (!(value instanceof Problem)) return value
    context.addIssue({ code: 'custom', message: value.sentence })
    return z.NEVER
  })
}

const duration = setting(
  (given) =>
    parseDuration(given) ??
    new Problem(
      `must be a number and s, m, h or d, one second or more, such as 5m; not "${given}"`,
    ),
)

const durationOrOff = z.union([z.literal('off'), duration], {
  error: 'must be a duration such as 5m, one second or more, or off',
})

const REQUIRED = 'is required: '

/** Every setting, its default and its reader. */
export const SCHEMA = z.object({
  SNAPHOOK_PUBLIC_URL: setting(readPublicUrls),
  SNAPHOOK_DOMAINS: setting(readDomains),
  SNAPHOOK_LISTEN: setting(readAddress).prefault('0.0.0.0:8080'),
  SNAPHOOK_OPS_LISTEN: setting(readAddress).prefault('127.0.0.1:9090'),
  SNAPHOOK_STORE: setting(readStorePath).prefault('sqlite:data/snaphook.db'),
  SNAPHOOK_SECRET: setting(readSecrets).optional(),
  SNAPHOOK_SINKS: setting(readSinks).prefault('stdout:'),
  SNAPHOOK_LIVE_ENDPOINT: setting(readPlainUrl).prefault('https://live.aliyuncs.com'),
  SNAPHOOK_ON_CONFLICT: z
    .enum(['refuse', 'takeover'], { error: 'must be refuse or takeover' })
    .prefault('refuse'),
  SNAPHOOK_RECONCILE_INTERVAL: duration.prefault('5m'),
  SNAPHOOK_CLOCK_SKEW: durationOrOff.prefault('5m'),
  SNAPHOOK_KEY_MAX_AGE: durationOrOff.prefault('90d'),
  SNAPHOOK_KEY_GRACE: duration.prefault('48h'),
  SNAPHOOK_RETENTION: duration.prefault('7d'),
  SNAPHOOK_RETENTION_MAX: duration.prefault('30d'),
  SNAPHOOK_STORE_MAX: setting(readStoreMax).prefault('80%'),
  SNAPHOOK_WEBHOOK_SECRET: setting(readWebhookSecrets).optional(),
  SNAPHOOK_API_SECRET: setting(readApiSecret).optional(),
  SNAPHOOK_API_JWKS_URL: setting(readPlainUrl).optional(),
  SNAPHOOK_API_ISSUER: text.optional(),
  SNAPHOOK_API_AUDIENCE: text.optional(),
  SNAPHOOK_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' })
    .prefault('info'),
})

type Name = keyof typeof SCHEMA.shape
export type Settings = z.output<typeof SCHEMA>

const EXPLAINED: Partial<Record<Name, string>> = {
  SNAPHOOK_PUBLIC_URL: 'the URL under which Alibaba Cloud reaches this service',
  SNAPHOOK_DOMAINS: 'the streaming domains, separated by commas',
}

export type Config = {
  /** As configured: the one to register, then former ones. */
  readonly publicUrls: readonly [string, ...string[]]
  readonly domains: readonly [string, ...string[]]
  readonly listen: Address
  readonly opsListen: Address
  readonly storePath: string
  /** Newest first; undefined where none was given and the one beside the store is used. */
  readonly secrets: readonly [Uint8Array, ...Uint8Array[]] | undefined
  readonly sinks: readonly { readonly name: string; readonly url: string }[]
  readonly liveEndpoint: string
  readonly takeover: boolean
  readonly reconcileIntervalMs: number
  /** Seconds; undefined switches the check off. */
  readonly clockSkewSeconds: number | undefined
  /** Undefined: keys are not rotated by age. */
  readonly keyMaxAgeMs: number | undefined
  readonly keyGraceSeconds: number
  /** Delivered events are kept for so long. */
  readonly retentionMs: number
  /** Events that are not delivered are kept for so long. */
  readonly retentionMaxMs: number
  readonly storeMax: StoreMax
  /** Each signs webhook deliveries; none where no sink needs any. */
  readonly webhookSecrets: readonly string[]
  readonly apiSecret: string | undefined
  readonly apiJwks:
    | { readonly url: string; readonly issuer: string; readonly audience: string }
    | undefined
  readonly logLevel: Settings['SNAPHOOK_LOG_LEVEL']
}

export type Environment = Readonly<Record<string, string | undefined>>
type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] }

/** All settings from the environment; `readFile` returns the text of a file, or throws. */
export function readConfig(env: Environment, readFile: (path: string) => string): Read<Config> {
  const { given, problems } = gather(env, readFile)
  const parsed = SCHEMA.safeParse(given)
  problems.push(...problemsOf(parsed.error))
  const jwks = readJwks(given, problems)
  if (parsed.success) problems.push(...crossCheck(parsed.data, given))
  if (!parsed.success || problems.length > 0) return { ok: false, problems }
  const settings = parsed.data
  const skew = settings.SNAPHOOK_CLOCK_SKEW
  const maxAge = settings.SNAPHOOK_KEY_MAX_AGE
  return {
    ok: true,
    value: {
      publicUrls: settings.SNAPHOOK_PUBLIC_URL,
      domains: settings.SNAPHOOK_DOMAINS,
      listen: settings.SNAPHOOK_LISTEN,
      opsListen: settings.SNAPHOOK_OPS_LISTEN,
      storePath: settings.SNAPHOOK_STORE,
      secrets: settings.SNAPHOOK_SECRET,
      sinks: settings.SNAPHOOK_SINKS,
      liveEndpoint: new URL(settings.SNAPHOOK_LIVE_ENDPOINT).href.replace(/\/$/, ''),
      takeover: settings.SNAPHOOK_ON_CONFLICT === 'takeover',
      reconcileIntervalMs: settings.SNAPHOOK_RECONCILE_INTERVAL,
      clockSkewSeconds: skew === 'off' ? undefined : skew / 1000,
      keyMaxAgeMs: maxAge === 'off' ? undefined : maxAge,
      keyGraceSeconds: settings.SNAPHOOK_KEY_GRACE / 1000,
      retentionMs: settings.SNAPHOOK_RETENTION,
      retentionMaxMs: retentionMax(settings, given),
      storeMax: settings.SNAPHOOK_STORE_MAX,
      webhookSecrets: settings.SNAPHOOK_WEBHOOK_SECRET ?? [],
      apiSecret: settings.SNAPHOOK_API_SECRET,
      apiJwks: jwks,
      logLevel: settings.SNAPHOOK_LOG_LEVEL,
    },
  }
}

/** The one setting that `token` needs. */
export function readApiSecretSetting(
  env: Environment,
  readFile: (path: string) => string,
): Read<string> {
  const { given, problems } = gather(env, readFile)
  const parsed = SCHEMA.pick({ SNAPHOOK_API_SECRET: true }).safeParse(given)
  problems.push(...problemsOf(parsed.error))
  const secret = parsed.data?.SNAPHOOK_API_SECRET
  if (secret !== undefined && problems.length === 0) return { ok: true, value: secret }
  if (problems.length === 0) problems.push('SNAPHOOK_API_SECRET is required: it signs the token')
  return { ok: false, problems }
}

/** What is set under our prefix, with `_FILE` forms read; an empty text is the same as none. */
function gather(env: Environment, readFile: (path: string) => string) {
  const given: Record<string, string> = {}
  const problems: string[] = []
  if (PRINTS_API_CALLS.test(env.DEBUG ?? '')) {
    problems.push(
      `DEBUG would print keys and signatures of API calls: unset it, or leave out httpx`,
    )
  }
  const files = new Map<string, Name>(SECRET_NAMES.map((name) => [name + FILE_SUFFIX, name]))
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('SNAPHOOK_') || value === undefined || value === '') continue
    const target = files.get(name)
    if (name in SCHEMA.shape) given[name] = value.trim()
    else if (target === undefined) problems.push(`${name} is not a setting: check its spelling`)
    else if (env[target]) problems.push(`${name} and ${target} are both set: remove one`)
    else {
      try {
        given[target] = readFile(value).trim()
      } catch {
        problems.push(`${name} must be the path of a file that can be read`)
      }
    }
  }
  return { given, problems }
}

function problemsOf(error: z.ZodError | undefined): string[] {
  return (error?.issues ?? []).map(({ path, code, message }) => {
    const name = String(path[0]) as Name
    const explained = EXPLAINED[name]
    return code === 'invalid_type' && explained
      ? `${name} ${REQUIRED}${explained}`
      : `${name} ${message}`
  })
}

/** Verifying foreign tokens takes all three or none. */
function readJwks(given: Record<string, string>, problems: string[]): Config['apiJwks'] {
  const url = given.SNAPHOOK_API_JWKS_URL
  const issuer = given.SNAPHOOK_API_ISSUER
  const audience = given.SNAPHOOK_API_AUDIENCE
  if (url && issuer && audience) return { url, issuer, audience }
  if (url || issuer || audience) {
    problems.push(
      'SNAPHOOK_API_JWKS_URL, SNAPHOOK_API_ISSUER and SNAPHOOK_API_AUDIENCE belong together: set all three or none',
    )
  }
  return undefined
}

/** Where only the retention was set, and is longer than the default, it is meant for both. */
function retentionMax(settings: Settings, given: Record<string, string>): number {
  const { SNAPHOOK_RETENTION: delivered, SNAPHOOK_RETENTION_MAX: any } = settings
  return given.SNAPHOOK_RETENTION_MAX === undefined ? Math.max(any, delivered) : any
}

function crossCheck(settings: Settings, given: Record<string, string>): string[] {
  const [publicUrl] = settings.SNAPHOOK_PUBLIC_URL
  const problems = settings.SNAPHOOK_DOMAINS.filter(
    (domain) => notifyUrl(publicUrl, domain).length > MAX_NOTIFY_URL_LENGTH,
  ).map(
    (domain) =>
      `SNAPHOOK_PUBLIC_URL is too long: with ${domain} the callback URL is above the provider's ${MAX_NOTIFY_URL_LENGTH} characters`,
  )
  if (retentionMax(settings, given) < settings.SNAPHOOK_RETENTION) {
    problems.push(
      'SNAPHOOK_RETENTION_MAX must be as long as SNAPHOOK_RETENTION or longer: it is for events that are not delivered yet',
    )
  }
  const webhook = settings.SNAPHOOK_SINKS.find(({ url }) => /^https?:/i.test(url))
  if (webhook !== undefined && settings.SNAPHOOK_WEBHOOK_SECRET === undefined) {
    problems.push(
      `SNAPHOOK_WEBHOOK_SECRET is required: it signs what sink ${webhook.name} is sent; ${WEBHOOK_SECRET_ADVICE}`,
    )
  }
  return problems
}
