// What is remembered of the registration of one domain while it runs, and how it begins. A restart
// costs none of it that matters: that a write is not seen yet, and since when, stands in the ring.
import type { KeyId } from '../keys/key-ring.ts'
import type { KeySearch, Secret } from '../keys/notify-key.ts'
import type { Effect, Fault } from './events.ts'
import type { Observed } from './observation.ts'
import type { Registration, RegistrationState, Settled, Write } from './registration.ts'

/** Replicas rotate up to this share of the age later, so that only the first one does. */
const AGE_JITTER = 0.1

export type Settings = {
  readonly domain: string
  /** The NotifyUrl that we want. */
  readonly url: string
  readonly formerPublicUrls: readonly string[]
  readonly takeover: boolean
  readonly intervalMs: number
  /** Age after which a key in force is rotated, ms; undefined: never. */
  readonly keyMaxAgeMs: number | undefined
  /** The first derives, all verify. */
  readonly secrets: readonly [Secret, ...Secret[]]
  readonly search: KeySearch
}

/** A write that is being made or tried, or was made and is not seen yet. */
export type Attempt = {
  readonly step: Write
  readonly registration: Registration
  /** What was there before. */
  readonly before: Observed
  /** `lost`: at least one call ended without an answer, so that it may have taken effect. */
  readonly answer: 'none' | 'lost' | 'accepted'
  /** When it was accepted, in ms on a clock that never jumps, */
  readonly at: number
  /** and as epoch ms. */
  readonly atEpoch: number
  /** The look in which it was refused last; null: it was not. */
  readonly refusedIn: number | null
}

/** What to do about an observation. */
export type Decision =
  | {
      readonly kind: 'confirm'
      /** The write that shows. */
      readonly attempt: Attempt
      /** Its answer was lost, so it is counted only now. */
      readonly isNews: boolean
    }
  /** What was there before a write of ours is shown still. */
  | { readonly kind: 'wait' }
  /** Somebody else keeps overwriting ours: write nothing. */
  | { readonly kind: 'hold'; readonly step: Write }
  | {
      readonly kind: 'write'
      readonly step: Write
      readonly registration: Registration
      /** Of a write that was tried before, and did not take effect. */
      readonly isRetry: boolean
      /** What is to be written was registered before, and somebody else has changed it. */
      readonly wasOurs: boolean
    }
  | { readonly kind: 'settle'; readonly step: Settled }

/** What comes once a ring is saved. */
export type Goal =
  | { readonly kind: 'describe' }
  | { readonly kind: 'act'; readonly observed: Observed; readonly decision: Decision }
  | { readonly kind: 'await' }
  | { readonly kind: 'give_up'; readonly fault: Fault }

export type Phase =
  | { readonly kind: 'resting' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'describing' }
  | { readonly kind: 'saving'; readonly goal: Goal }
  | { readonly kind: 'writing'; readonly attempt: Attempt }

export type DomainState = {
  readonly settings: Settings
  readonly phase: Phase
  readonly state: RegistrationState
  /** One sentence on what is wrong or awaited; null if nothing is. */
  readonly detail: string | null
  /** Why the last look failed, if that may pass; null if it did not fail. */
  readonly lookProblem: string | null
  /** Whether the last look ended before the provider was seen, or none has ended yet. */
  readonly isBlind: boolean
  /** The URL found at the last look, if it is not the one that we want. */
  readonly foundUrl: string | null
  /** When the provider was last seen, epoch ms. */
  readonly lookedAt: number | null
  /** The number of the look that is under way, or else of the last one. */
  readonly look: number
  /** Looks since the last write or race, to space them. */
  readonly looksAfterWrite: number
  /** Looks in a row that failed for what may pass. */
  readonly failures: number
  readonly attempt: Attempt | null
  /** What the ring says of a write that is not seen yet, if that is a write of this process. */
  readonly ownUnseenSince: number | null
  readonly saidHidden: boolean
  /** The key in force at the last look that needed no write, or after our last write. */
  readonly keySeen: KeyId | null
  /** The key that is to be rotated whatever its age: any, or the one that was tried first. */
  readonly rotateFrom: KeyId | 'any' | null
  /** Another look is wanted as soon as this one has ended. */
  readonly isWanted: boolean
  /** When a callback last asked for a look, in ms on a clock that never jumps. */
  readonly askedAt: number
}

/** What comes of an event. */
export type Outcome = { readonly state: DomainState; readonly effects: readonly Effect[] }

/** A domain that nothing is known of yet. `random`, from 0 up to 1, spreads rotations by age. */
export function newDomain(settings: Settings, random: number): DomainState {
  const { keyMaxAgeMs } = settings
  return {
    settings: { ...settings, keyMaxAgeMs: keyMaxAgeMs && keyMaxAgeMs * (1 + AGE_JITTER * random) },
    phase: { kind: 'resting' },
    state: 'pending',
    detail: null,
    lookProblem: null,
    isBlind: true,
    foundUrl: null,
    lookedAt: null,
    look: 0,
    looksAfterWrite: 0,
    failures: 0,
    attempt: null,
    ownUnseenSince: null,
    saidHidden: false,
    keySeen: null,
    rotateFrom: null,
    isWanted: false,
    askedAt: Number.NEGATIVE_INFINITY,
  }
}

/** What is wrong or awaited, and what keeps us from looking; null if nothing is. */
export function detailOf({ detail, lookProblem }: DomainState): string | null {
  return [detail ?? [], lookProblem ?? []].flat().join('; ') || null
}
