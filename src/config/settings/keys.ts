// The secret, the life of the notify keys that derive from it, and how signatures are judged.
import { MIN_SECRET_BYTES, parseSecret } from '../../core/keys/notify-key.ts'
import { Problem } from '../../core/problem.ts'
import { inSeconds, nonEmpty, readDuration, readDurationOrOff, readList } from '../readers.ts'
import { setting } from '../setting.ts'

export const KEY_SETTINGS = {
  /** Newest first; undefined: none was given, and the one beside the store is used. */
  secrets: setting({
    env: 'SNAPHOOK_SECRET',
    secret: true,
    none: undefined,
    read: readSecrets,
    about: 'notify keys derive from it; made beside the store if not set',
  }),
  /** Undefined switches the check off. */
  clockSkewSeconds: setting({
    env: 'SNAPHOOK_CLOCK_SKEW',
    default: '5m',
    read: inSeconds(readDurationOrOff),
    about: 'how old or early a callback may be; `off`: any age',
  }),
  /** Undefined: keys are not rotated by age. */
  keyMaxAgeMs: setting({
    env: 'SNAPHOOK_KEY_MAX_AGE',
    default: '90d',
    read: readDurationOrOff,
    about: 'age at which a notify key is rotated; `off`: never',
  }),
  keyGraceSeconds: setting({
    env: 'SNAPHOOK_KEY_GRACE',
    default: '48h',
    read: inSeconds(readDuration),
    about: 'a superseded key goes after this long without use',
  }),
}

function readSecrets(given: string): readonly [Uint8Array, ...Uint8Array[]] | Problem {
  const secrets = readList(given).map(parseSecret)
  const fit = secrets.filter((secret) => secret !== undefined)
  const found = fit.length === secrets.length ? nonEmpty(fit) : undefined
  const advice = `make one with: openssl rand -base64 ${MIN_SECRET_BYTES} | tr '+/' '-_' | tr -d '='`
  return (
    found ?? new Problem(`must be base64url of ${MIN_SECRET_BYTES} bytes or more each; ${advice}`)
  )
}
