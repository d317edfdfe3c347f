// Secrets of every kind, planted in the settings of a service and in what others send it.
import type { Secrets } from '../../support/no-secrets.ts'
import { keyOf, SECRET, type Settings } from '../../support/service/stage.ts'

export const ACCESS_KEY = {
  accessKeyId: 'LTAI5tSecretId',
  accessKeySecret: 'AccessKeySecretOfTheTests',
}
export const SECURITY_TOKEN = 'CAISsecuritytoken/with+signs=='
export const API_SECRET = 'the api secret of the tests, long enough'
export const OLD_SECRET = Buffer.alloc(32, 'an older secret').toString('base64url')
export const FOREIGN_KEY = 'foreignkey1234567890'
export const UNKNOWN_KEY = 'unknownkey1234567890'
export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 'the webhook secret').toString('base64')}`
/** Chat robots and the like are called at such URLs. */
export const THEIR_TOKEN = 'tokenInTheirUrl'
export const SINK_TOKEN = 'tokenInTheSinkUrl'
export const REDIS_PASSWORD = 'passwordOfRedis'
export const STORE_PASSWORD = 'passwordOfTheStore'
export const NATS_PASSWORD = 'passwordOfNats'
export const SETTINGS: Settings = {
  // Nobody listens there: every delivery fails, and is reported.
  SNAPHOOK_SINKS: [
    'stdout:',
    `hook=http://127.0.0.1:2/${SINK_TOKEN}`,
    `redis=redis://:${REDIS_PASSWORD}@127.0.0.1:1?stream=snapshots`,
    `nats=nats://snaphook:${NATS_PASSWORD}@127.0.0.1:1?subject=snapshots`,
  ].join(),
  SNAPHOOK_WEBHOOK_SECRET: WEBHOOK_SECRET,
  ALIBABA_CLOUD_SECURITY_TOKEN: SECURITY_TOKEN,
  SNAPHOOK_SECRET: `${SECRET},${OLD_SECRET}`,
  SNAPHOOK_API_SECRET: API_SECRET,
  SNAPHOOK_IMAGES: 'oss:emulated-snapshots,my-snapshots',
  SNAPHOOK_LOG_LEVEL: 'debug',
  SNAPHOOK_RECONCILE_INTERVAL: '1s',
  SNAPHOOK_ON_CONFLICT: 'takeover',
}
export const GENERATIONS = [0, 1, 2, 3]
export const SECRETS: Secrets = {
  'the secret': SECRET,
  'the older secret': OLD_SECRET,
  'the access key id': ACCESS_KEY.accessKeyId,
  'the access key secret': ACCESS_KEY.accessKeySecret,
  'the security token': SECURITY_TOKEN,
  'the API secret': API_SECRET,
  'the webhook secret': WEBHOOK_SECRET.replace('whsec_', ''),
  'the token in the URL of somebody else': THEIR_TOKEN,
  'the token of a sink': SINK_TOKEN,
  'the password of Redis': REDIS_PASSWORD,
  'the password of NATS': NATS_PASSWORD,
  'the password of the store': STORE_PASSWORD,
  'the foreign key': FOREIGN_KEY,
  'the unknown key': UNKNOWN_KEY,
  // In every row of the list of pushes.
  'the ingest key of a push URL': 'emulated-ingest-secret',
  ...Object.fromEntries(
    [SECRET, OLD_SECRET].flatMap((secret, index) =>
      GENERATIONS.map((n) => [`key ${n} of secret ${index}`, keyOf(n, { secret })]),
    ),
  ),
}
