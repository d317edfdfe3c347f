// What the provider holds for a domain, what we want there, and what to do about the difference.
// `plan` is the whole table of DESIGN 5, and pure: who asks and who acts is the registrar.
import { type KeyId, keyText, type Ring, ringGeneration, sameKey } from './key-ring.ts'
import { hasKeyForm, isUsableKey, type KeySearch, type Secret } from './notify-key.ts'
import { nearlySameUrl, notifyUrl, sameUrl, showUrl } from './notify-url.ts'

/** Console changes of callback settings take up to this long to show (FACTS 2). */
const MAX_LAG_MS = 5 * 60_000

/** What a Describe shows of a domain. */
export type Observed =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'present'
      readonly url: string
      readonly auth: boolean
      /** The key as shown, masked or not; null where none is shown. */
      readonly key: string | null
    }

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
  /** `shown` null: no usable key is visible; `refused`: one is visible that is never accepted. */
  | { readonly kind: 'in_sync'; readonly shown: KeyId | null; readonly refused: boolean }
  | { readonly kind: 'adopt'; readonly shown: KeyId }

export type Write =
  | { readonly kind: 'create'; readonly shown: null; readonly write: KeyId }
  /** `shown` null: the key in force is not visible, and is the one that the ring knows. */
  | { readonly kind: 'rotate'; readonly shown: KeyId | null; readonly write: KeyId }
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
    if (observed.auth) return planOurs(situation, shown, isTrivial(observed.key))
    return { kind: 'repair', reason: 'auth_off', shown, write: shown ?? write, foundUrl }
  }
  if (isOurUrl(foundUrl, situation)) {
    return { kind: 'repair', reason: 'former_url', shown, write: shown ?? write, foundUrl }
  }
  if (!takeover) return { kind: 'conflict', foundUrl }
  return { kind: 'replace', shown: null, write, foundUrl, joins: shown }
}

/** Why a step is taken, in one sentence for people; it names URLs, never keys. */
export function explain(step: Step): string {
  switch (step.kind) {
    case 'released':
      return 'deregistered on purpose; register takes it up again'
    case 'conflict':
      return `callbacks go to ${showUrl(step.foundUrl)}; set SNAPHOOK_ON_CONFLICT=takeover to replace it`
    case 'in_sync':
      if (step.refused) return 'registered, with a key that is too simple to be accepted: rotate it'
      return step.shown === null ? 'registered; the key is not visible' : 'registered'
    case 'adopt':
      return 'registered with a key that was set elsewhere; it is accepted as it is'
    case 'create':
      return 'nothing is registered'
    case 'rotate':
      return 'the key in force is of an older secret, of age, or asked to go'
    case 'repair':
      return REPAIRS[step.reason]
    case 'replace':
      return `callbacks go to ${showUrl(step.foundUrl)}, and takeover is on`
  }
}

const REPAIRS: Readonly<Record<RepairReason, string>> = {
  auth_off: 'authentication is switched off',
  former_url: 'a former URL is registered',
  never_confirmed: 'the key is not visible, and this store does not know it',
}

function planOurs(situation: Situation, shown: KeyId | null, refused: boolean): Step {
  const {
    url,
    ring,
    rotateFrom,
    secrets: [{ fingerprint: secret }],
  } = situation
  if (shown?.kind === 'derived' && shown.secret !== secret) {
    return { kind: 'rotate', shown, write: { ...shown, secret } }
  }
  const isOurs = shown !== null || (ring.confirmedUrl === url && knowsCurrent(situation))
  const isDue = rotateFrom === 'any' || shown === null || sameKey(shown, rotateFrom)
  if (rotateFrom !== null && isOurs && isDue) {
    const before = shown?.kind === 'derived' ? shown.generation : ringGeneration(ring)
    return { kind: 'rotate', shown, write: { kind: 'derived', secret, generation: before + 1 } }
  }
  if (shown?.kind === 'foreign' && !sameKey(ring.current, shown)) return { kind: 'adopt', shown }
  if (isOurs) return { kind: 'in_sync', shown, refused }
  return {
    kind: 'repair',
    reason: 'never_confirmed',
    shown: null,
    write: keyToWrite(situation),
    foundUrl: url,
  }
}

/** Whether the ring's key in force can still be derived: its secret may have been taken out. */
function knowsCurrent({ ring: { current }, secrets, domain }: Situation): boolean {
  return current !== null && keyText(current, secrets, domain) !== undefined
}

/** Whether a key is shown that the provider takes, and that we do not. */
function isTrivial(key: string | null): boolean {
  return key !== null && hasKeyForm(key) && !isUsableKey(key)
}

/** Under the first secret: the generation in force, else the highest seen, else 0. */
function keyToWrite({ ring, secrets: [{ fingerprint }] }: Situation): KeyId {
  return { kind: 'derived', secret: fingerprint, generation: Math.max(0, ringGeneration(ring)) }
}

/** Whose key the observation shows; null where none is shown that could be used. */
function shownKey(key: string | null, { search, domain }: Situation): KeyId | null {
  if (key === null || !isUsableKey(key)) return null
  const ours = search(key, domain)
  return ours === undefined ? { kind: 'foreign', key } : { kind: 'derived', ...ours }
}

/**
 * Whether a step answers to somebody else's doing: what was ours and confirmed is so no longer. A
 * difference in keys alone is not.
 */
export function isDrift(step: Step, { ring, url }: Situation): boolean {
  return 'write' in step && step.kind !== 'rotate' && ring.confirmedUrl === url
}

/** What a write step sends to the provider. */
export function registrationOf(step: Write, situation: Situation): Registration {
  // A plan names only keys of secrets that it was given.
  const key = keyText(step.write, situation.secrets, situation.domain) as string
  return { url: situation.url, auth: 'yes', key }
}

/** A write that the provider has accepted and that no look has shown yet. */
export type UnseenWrite = {
  readonly step: Write
  readonly registration: Registration
  readonly before: Observed
  /** When, in ms on a clock that never jumps. */
  readonly at: number
}

/** Whether an observation shows a write, as far as its key is visible. */
export function shows(observed: Observed, { url, key }: Registration): boolean {
  if (observed.kind === 'absent' || !observed.auth || !sameUrl(observed.url, url)) return false
  return observed.key === null || !isUsableKey(observed.key) || observed.key === key
}

/** Whether an observation is merely what was there before a write, and so says nothing. */
export function isLag(observed: Observed, write: UnseenWrite, now: number): boolean {
  return now - write.at < MAX_LAG_MS && sameObservation(observed, write.before)
}

/** Whether nothing has changed between two looks. */
export function sameObservation(a: Observed, b: Observed): boolean {
  if (a.kind === 'absent' || b.kind === 'absent') return a.kind === b.kind
  return a.url === b.url && a.auth === b.auth && a.key === b.key
}
