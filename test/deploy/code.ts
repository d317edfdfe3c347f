// What the code says of itself, for tests that compare documents and deploy files with it.
import { systemClock } from '../../src/app/system-clock.ts'
import { createCredentials } from '../../src/cloud/credentials.ts'
import { readConfig } from '../../src/config/config.ts'
import { type Environment, FILE_SUFFIX, SECRET_NAMES } from '../../src/config/environment.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import type { CallbackOutcome } from '../../src/core/events/callback.ts'
import { describeError } from '../../src/errors.ts'
import { createApi } from '../../src/http/api/api-app.ts'
import { createKnownSeqs } from '../../src/http/api/known-seqs.ts'
import { createFeed } from '../../src/http/feed/feed.ts'
import { createOpsApp } from '../../src/http/ops/ops-app.ts'
import { createSignIn } from '../../src/http/ops/sign-in.ts'
import { createWallFiles } from '../../src/http/ops/wall-files.ts'
import { createPace } from '../../src/http/pace.ts'
import { createCallbackApp } from '../../src/http/public/callback-app.ts'
import type { Readiness } from '../../src/ports/views.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { keptLog } from '../support/flows/flow-fakes.ts'
import { memoryStore } from '../support/store/memory-store.ts'

export const SETTING_NAMES: readonly string[] = Object.values(SETTINGS).map(({ env }) => env)
/** Everything under our prefix that the service takes. */
export const ENVIRONMENT: readonly string[] = [
  ...SETTING_NAMES,
  ...SECRET_NAMES.map((name) => name + FILE_SUFFIX),
]
export const REQUIRED = {
  SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
  SNAPHOOK_DOMAINS: 'play.example.com',
}
/** What a file with the URL of a database holds. */
export const STORE_URL = 'postgres://snaphook:password@db.example.com:5432/snaphook'
const A_SECRET = Buffer.alloc(32, 1).toString('base64url')

/** The settings of an environment, whose files are empty, but for those of the secret and the store; or an error with all problems. */
export function configFrom(env: Environment) {
  const config = readConfig(env, (path) => {
    if (/snaphook[-_]secret$/i.test(path)) return A_SECRET
    return /snaphook[-_]store$/i.test(path) ? STORE_URL : ''
  })
  if (!config.ok) throw new Error(config.problems.join('\n'))
  return config.value
}

/** The sentence of a service without credentials: it names the variables to set. */
export async function credentialsAdvice(): Promise<string> {
  const none = () => ({ getCredentials: () => Promise.reject(new Error('none')) })
  return createCredentials(none)
    .getCredentials()
    .then(() => '', describeError)
}

export function opsApp() {
  const readiness: Readiness = {
    ready: true,
    reasons: [],
    store: 'ok',
    registrations: [],
    sinks: [],
    audits: [],
  }
  const store = memoryStore()
  const log = keptLog()
  const known = createKnownSeqs()
  const pace = createPace(systemClock)
  const reading = { events: store, clock: systemClock, pace, log }
  const feed = createFeed({ ...reading, readers: () => undefined })
  return createOpsApp({
    readiness: () => readiness,
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    guard: async () => undefined,
    api: createApi({
      ...{ ...reading, streams: store, feed, known },
      pictures: { find: () => Promise.reject(new Error('none')) },
      registrations: () => [],
      sinks: async () => [],
      audits: () => [],
      now: Date.now,
      version: '0.0.0',
    }),
    signIn: createSignIn(undefined, Date.now),
    wall: createWallFiles(new URL('../../src/wall/', import.meta.url), async () => []),
    log,
  })
}

/** The public app, with a receiver that comes to the given outcome whatever is sent. */
export function callbackApp(outcome: CallbackOutcome) {
  return createCallbackApp({
    receiver: { receive: async () => outcome },
    isCallbackPath: (prefix) => prefix === '',
    isPublicPath: (prefix) => prefix === '',
    secrets: [],
    log: keptLog(),
  })
}

/** The metrics of the service's own, with their label names, sorted; and the whole exposition. */
export async function ownMetrics() {
  const metrics = createMetrics({
    domains: ['play.example.com'],
    sinks: ['stdout'],
    version: '0.0.0',
    now: () => 0,
    sample: async () => ({ eventsStored: 0, lagBySink: new Map(), deadLettersBySink: new Map() }),
  })
  const { body } = await metrics.render()
  const labels = new Map<string, string[]>()
  for (const [, name = ''] of body.matchAll(/^# TYPE (snaphook_\w+) /gm)) {
    const [, pairs = ''] = new RegExp(`^${name}(?:_bucket)?\\{(.*?)\\} `, 'm').exec(body) ?? []
    const names = [...pairs.matchAll(/(\w+)="/g)].map(([, label = '']) => label)
    labels.set(name, names.filter((label) => label !== 'le').sort())
  }
  return { labels, body }
}
