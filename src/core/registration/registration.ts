// What we want the provider to hold for a domain, and what to do where it shows something else.
// `plan` is the whole table of docs/registration.md, and pure: who asks and who acts is the registrar.
import {
  isCurrentKnown,
  type KeyId,
  keyText,
  type Ring,
  ringGeneration,
  sameKey,
} from '../keys/key-ring.ts'
import { hasKeyForm, isUsableKey, type KeySearch, type Secret } from '../keys/notify-key.ts'
import { nearlySameUrl, notifyUrl, sameUrl } from './notify-url.ts'
import { isKeyHidden, type Observed } from './observation.ts'

/** What is written to the provider: all of it, always. */
export type Registration = { readonly url: string; readonly auth: 'yes'; readonly key: string }

export const REGISTRATION_STATES = [
  'pending',
  'in_sync',
  'conflict',
  'contested',
  'failed',
  'released',
] as const
export type RegistrationState = (typeof REGISTRATION_STATES)[number]

/** The steps that change something: with the provider or, `adopt`, in what we accept. */
export const REGISTRATION_CHANGES = ['create', 'rotate', 'adopt', 'repair', 'replace'] as const
export type RegistrationChange = (typeof REGISTRATION_CHANGES)[number]

/** What is wrong with a registration that is ours all the same. */
export type KeyProblem = 'too_simple' | 'not_of_first_secret'
/** `due`: past its maximum age, or a rotation was requested. */
export type RotateReason = 'older_secret' | 'due'
export type RepairReason = 'auth_off' | 'former_url' | 'never_confirmed'

/**
 * One step of a plan. `shown`: the usable key that was found in force under a URL of ours. `write`:
 * the key to write, together with the desired URL and authentication on.
 */
export type Step = Settled | Write

/** A step that writes nothing. */
export type Settled =
  | { readonly kind: 'released' }
  | { readonly kind: 'conflict'; readonly foundUrl: string }
  /** `shown` null: no usable key is visible. */
  | {
      readonly kind: 'in_sync'
      readonly shown: KeyId | null
      readonly problem: KeyProblem | null
    }
  | { readonly kind: 'adopt'; readonly shown: KeyId }

export type Write =
  | { readonly kind: 'create'; readonly shown: null; readonly write: KeyId }
  /** `shown` null: the key in force is not visible, and is the one that the ring knows. */
  | {
      readonly kind: 'rotate'
      readonly shown: KeyId | null
      readonly write: KeyId
      readonly reason: RotateReason
    }
  | {
      readonly kind: 'repair'
      readonly shown: KeyId | null
      readonly write: KeyId
      readonly reason: RepairReason
      readonly foundUrl: string
    }
  | {
      readonly kind: 'replace'
      readonly shown: null
      readonly write: KeyId
      readonly foundUrl: string
      /** The key found there: it joins the ring, since running pushes may sign with it. */
      readonly joins: KeyId | null
    }

export type Situation = {
  readonly domain: string
  /** The NotifyUrl that we want. */
  readonly url: string
  /** NotifyUrls under which we were registered before, by settings or by memory. */
  readonly formerUrls: readonly string[]
  readonly takeover: boolean
  /** The first derives, all verify. */
  readonly secrets: readonly [Secret, ...Secret[]]
  readonly search: KeySearch
  /** The key that is to be replaced while it is in force: this one, or any that is; null: none. */
  readonly rotateFrom: KeyId | 'any' | null
  readonly ring: Ring
  readonly observed: Observed
}

/** The NotifyUrls under which `domain` was registered before, by settings and by memory. */
export function formerNotifyUrls(
  { confirmedUrl, formerUrls }: Ring,
  formerPublicUrls: readonly string[],
  domain: string,
): string[] {
  const configured = formerPublicUrls.map((url) => notifyUrl(url, domain))
  return [...configured, ...(confirmedUrl === null ? [] : [confirmedUrl]), ...formerUrls]
}

/** Whether a NotifyUrl is one of ours: the one that we want, or a former one. */
export function isOurUrl(
  found: string,
  { url, formerUrls }: Pick<Situation, 'url' | 'formerUrls'>,
): boolean {
  return [url, ...formerUrls].some((ours) => nearlySameUrl(found, ours))
}

/** What to do about what was observed. */
export function plan(situation: Situation): Step {
  const { url, ring, observed, takeover } = situation
  if (ring.released) return { kind: 'released' }
  const write = keyToWrite(situation)
  if (observed.kind === 'absent') return { kind: 'create', shown: null, write }
  const shown = shownKey(observed.key, situation)
  const foundUrl = observed.url
  if (sameUrl(foundUrl, url)) {
    if (observed.auth) return planOurs(situation, shown)
    return { kind: 'repair', reason: 'auth_off', shown, write: shown ?? write, foundUrl }
  }
  if (isOurUrl(foundUrl, situation)) {
    return { kind: 'repair', reason: 'former_url', shown, write: shown ?? write, foundUrl }
  }
  if (!takeover) return { kind: 'conflict', foundUrl }
  const first = keyToWrite(situation, shown)
  return { kind: 'replace', shown: null, write: first, foundUrl, joins: shown }
}

function planOurs(situation: Situation, shown: KeyId | null): Step {
  const { url, ring, rotateFrom, secrets } = situation
  const [{ fingerprint: secret }] = secrets
  const isOurs = shown !== null || (ring.confirmedUrl === url && isCurrentKnown(ring, secrets))
  const isHidden = isKeyHidden(situation.observed)
  const inForce = shown ?? (isOurs && isHidden ? ring.current : null)
  const isDue =
    rotateFrom !== null && (rotateFrom === 'any' || shown === null || sameKey(shown, rotateFrom))
  const isOlder = inForce?.kind === 'derived' && inForce.secret !== secret
  if (isOlder && (isDue || ring.movedTo !== secret)) {
    return { kind: 'rotate', reason: 'older_secret', shown, write: { ...inForce, secret } }
  }
  if (isDue && isOurs) {
    const before = shown?.kind === 'derived' ? shown.generation : ringGeneration(ring)
    const write: KeyId = { kind: 'derived', secret, generation: before + 1 }
    return { kind: 'rotate', reason: 'due', shown, write }
  }
  if (shown?.kind === 'foreign' && !sameKey(ring.current, shown)) return { kind: 'adopt', shown }
  if (isOurs) return { kind: 'in_sync', shown, problem: keyProblem(situation, isOlder) }
  return {
    kind: 'repair',
    reason: 'never_confirmed',
    shown: null,
    write: keyToWrite(situation),
    foundUrl: url,
  }
}

function keyProblem({ observed }: Situation, isOlder: boolean): KeyProblem | null {
  if (isOlder) return 'not_of_first_secret'
  return observed.kind === 'present' && isTrivial(observed.key) ? 'too_simple' : null
}

/** Whether a key is shown that the provider takes, and that we do not. */
function isTrivial(key: string | null): boolean {
  return key !== null && hasKeyForm(key) && !isUsableKey(key)
}

/**
 * Under the first secret: the generation in force, else the highest seen, else 0. One that joins the
 * ring counts as seen, since the keys that are accepted then go by it.
 */
function keyToWrite(
  { ring, secrets: [{ fingerprint }] }: Situation,
  joins: KeyId | null = null,
): KeyId {
  const isHighest = joins?.kind === 'derived' && ring.current?.kind !== 'derived'
  const generation = Math.max(0, ringGeneration(ring), isHighest ? joins.generation : 0)
  return { kind: 'derived', secret: fingerprint, generation }
}

/** Whose key the observation shows; null where none is shown that could be used. */
function shownKey(key: string | null, { search, domain, ring }: Situation): KeyId | null {
  if (key === null || !isUsableKey(key)) return null
  const ours = search(key, domain, ringGeneration(ring))
  return ours === undefined ? { kind: 'foreign', key } : { kind: 'derived', ...ours }
}

/**
 * Whether a step answers to somebody else's doing: what was ours and confirmed is so no longer. A
 * difference in keys alone is not.
 */
export function isDrift(step: Step, { ring, url }: Situation): step is Write {
  return 'write' in step && step.kind !== 'rotate' && ring.confirmedUrl === url
}

/** What a write step sends to the provider. */
export function registrationOf(step: Write, situation: Situation): Registration {
  // A plan names only keys of secrets that it was given.
  const key = keyText(step.write, situation.secrets, situation.domain) as string
  return { url: situation.url, auth: 'yes', key }
}
