// What a plan may be made from: keys, rings and observations of one domain.
import {
  EMPTY_RING,
  type KeyId,
  type Ring,
  withConfirmedUrl,
  withCurrent,
} from '../../../src/core/keys/key-ring.ts'
import { createKeySearch, notifyKey, secretFrom } from '../../../src/core/keys/notify-key.ts'
import type { Observed } from '../../../src/core/registration/observation.ts'
import type { Situation } from '../../../src/core/registration/registration.ts'

export const NEW = secretFrom(new Uint8Array(32).fill(1))
export const OLD = secretFrom(new Uint8Array(32).fill(2))
export const DOMAIN = 'play.example.com'
export const URL_ = `https://hook.example.com/callbacks/${DOMAIN}`
export const FORMER = `https://former.example.com/callbacks/${DOMAIN}`
export const ELSEWHERE = 'https://elsewhere.example.com/cb'
/** As it is shown: its path may hold a token. */
export const ELSEWHERE_SHOWN = 'https://elsewhere.example.com/…'
export const FOREIGN = 'setByHandInConsole1'
export const WEAK = 'aaaaaaaaaaaaaaaa'

export const derived = (generation: number, secret = NEW): KeyId => ({
  kind: 'derived',
  secret: secret.fingerprint,
  generation,
})
export const foreign: KeyId = { kind: 'foreign', key: FOREIGN }
const at = { now: 0, receiving: 0 }
export const ringAt = (id: KeyId): Ring => withConfirmedUrl(withCurrent(EMPTY_RING, id, at), URL_)
export const ABSENT: Observed = { kind: 'absent' }
export const present = (over: Partial<Extract<Observed, { kind: 'present' }>> = {}): Observed => ({
  kind: 'present',
  url: URL_,
  auth: true,
  key: notifyKey(NEW, DOMAIN, 0),
  ...over,
})

export function situation(over: Partial<Situation> = {}): Situation {
  const secrets = [NEW, OLD] as const
  return {
    domain: DOMAIN,
    url: URL_,
    formerUrls: [FORMER],
    takeover: false,
    secrets: [...secrets],
    search: createKeySearch(secrets),
    rotateFrom: null,
    ring: EMPTY_RING,
    observed: ABSENT,
    ...over,
  }
}
