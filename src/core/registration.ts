// What the provider holds for a domain, what we want there, and what to do about the difference.
// `plan` is the whole table of DESIGN 5, and pure: who asks and who acts is the registrar.
import { type KeyId, keyText, type Ring, ringGeneration, sameKey } from './key-ring.ts'
import { hasKeyForm, isUsableKey, type KeySearch, type Secret } from './notify-key.ts'
import { nearlySameUrl, notifyUrl, sameUrl, showUrl } from './notify-url.ts'

/** Console changes of callback settings take up to this long to show (FACTS 2). */
export const MAX_LAG_MS = 5 * 60_000

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

/** What is wrong with a registration that is ours all the same. */
export type KeyProblem = 'too_simple' | 'not_of_first_secret'
/** `due`: of age, or asked to go. */
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
  return { kind: 'replace', shown: null, write, foundUrl, joins: shown }
}

/** The URL that was found where it is not the one that we want, as it may be shown; else null. */
export function strangeUrl(step: Step, { url }: Pick<Situation, 'url'>): string | null {
  return 'foundUrl' in step && !sameUrl(step.foundUrl, url) ? showUrl(step.foundUrl) : null
}

/** Why a step is taken, in one sentence for people; it names URLs, never keys. */
export function explain(step: Step): string {
  switch (step.kind) {
    case 'released':
      return 'deregistered on purpose; register takes it up again'
    case 'conflict':
      return `callbacks go to ${showUrl(step.foundUrl)}; set SNAPHOOK_ON_CONFLICT=takeover to replace it`
    case 'in_sync':
      if (step.problem !== null) return `registered, with a key ${KEY_PROBLEMS[step.problem]}`
      return step.shown === null ? 'registered; the key is not visible' : 'registered'
    case 'adopt':
      return 'registered with a key that was set elsewhere; it is accepted as it is'
    case 'create':
      return 'nothing is registered'
    case 'rotate':
      return ROTATIONS[step.reason]
    case 'repair':
      return REPAIRS[step.reason]
    case 'replace':
      return `callbacks go to ${showUrl(step.foundUrl)}, and takeover is on`
  }
}

/** What was found where a registration is contested, so that `step` is not taken, and what to do. */
export function explainContest(step: Write, situation: Pick<Situation, 'url'>): string {
  const url = strangeUrl(step, situation)
  const found = url === null ? explain(step) : `callbacks go to ${url}`
  return `somebody else keeps overwriting this registration (${found}); find the other owner, then it is taken up again within an hour`
}

const KEY_PROBLEMS: Readonly<Record<KeyProblem, string>> = {
  too_simple: 'that is too simple to be accepted: rotate it',
  not_of_first_secret:
    'of another secret than the first, which was put back: a replica has SNAPHOOK_SECRET in another order; give all the same, then rotate',
}

const ROTATIONS: Readonly<Record<RotateReason, string>> = {
  older_secret: 'the key in force is of an older secret',
  due: 'the key in force is too old, or was asked to go',
}

const REPAIRS: Readonly<Record<RepairReason, string>> = {
  auth_off: 'authentication is switched off',
  former_url: 'a former URL is registered',
  never_confirmed: 'the key is not visible, and this store does not know it',
}

function planOurs(situation: Situation, shown: KeyId | null): Step {
  const {
    url,
    ring,
    rotateFrom,
    secrets: [{ fingerprint: secret }],
  } = situation
  const isOurs = shown !== null || (ring.confirmedUrl === url && knowsCurrent(situation))
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

/** A write that the provider has accepted and that no look has shown yet. */
export type UnseenWrite = {
  readonly step: Write
  readonly registration: Registration
  readonly before: Observed
  /** When, in ms on a clock that never jumps. */
  readonly at: number
}

/** Whether there is a key that the provider does not show: masked, or left out. */
export function isKeyHidden(observed: Observed): boolean {
  return observed.kind === 'present' && (observed.key === null || !hasKeyForm(observed.key))
}

/** Whether an observation shows a write, as far as its key is visible. */
export function shows(observed: Observed, { url, key }: Registration): boolean {
  if (observed.kind === 'absent' || !observed.auth || !sameUrl(observed.url, url)) return false
  return isKeyHidden(observed) || observed.key === key
}

/** Whether a write that began at `since`, epoch ms, may still be on its way or not shown yet. */
export function mayStillShow(since: number | null, now: number): since is number {
  return since !== null && Math.abs(now - since) < MAX_LAG_MS
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
