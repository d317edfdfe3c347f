// What one store knows of one domain: its keys, and until when each is kept. Every
// change is a new value. Two clocks: epoch ms for the age of a key, and receiving time (seconds
// that this store's service has listened) for disuse, so that a downtime retires nothing.
import { type Contest, NO_CONTEST } from '../registration/contest.ts'
import { notifyKey, type Secret } from './notify-key.ts'

/** Bounds the work that one bad signature causes. */
export const MAX_KEYS = 16
/** A former URL costs a host to check against; nobody moves more often than this. */
const MAX_FORMER_URLS = 16

/** Stands for the generation of a foreign key, wherever one is shown. */
export const FOREIGN_GENERATION = -1

/** Names a key without showing it, save for a foreign one, which has no other name. */
export type KeyId =
  | { readonly kind: 'derived'; readonly secret: string; readonly generation: number }
  | { readonly kind: 'foreign'; readonly key: string }

export type DerivedKey = Extract<KeyId, { kind: 'derived' }>

/** A key that this store has seen in force, or seen used. */
export type RingKey = {
  readonly id: KeyId
  /** When it was first seen or, if it came in force later, since when it is; epoch ms. */
  readonly seenAt: number
  /** Last use, or else the last time in force, whichever is later, in seconds of receiving time. */
  readonly usedAt: number
}

export type Ring = {
  /** The key in force as last seen, or null while it was never seen. */
  readonly current: KeyId | null
  readonly keys: readonly RingKey[]
  /** The NotifyUrl that this store last saw in force with our settings. */
  readonly confirmedUrl: string | null
  readonly formerUrls: readonly string[]
  /** Deregistered on purpose: nothing is done until it is registered again. */
  readonly released: boolean
  /** Drift that was seen within the last hour; see `contest.ts`. */
  readonly contest: Contest
  /** When the last write began that no look has shown yet, epoch ms; null where there is none. */
  readonly unseenSince: number | null
  /** The fingerprint of the first secret, once a key of it was seen in force; else null. */
  readonly movedTo: string | null
}

export const EMPTY_RING: Ring = {
  current: null,
  keys: [],
  confirmedUrl: null,
  formerUrls: [],
  released: false,
  contest: NO_CONTEST,
  unseenSince: null,
  movedTo: null,
}

/** One moment on both clocks: epoch ms, and seconds of receiving time. */
export type Moment = { readonly now: number; readonly receiving: number }

export function sameKey(a: KeyId | null, b: KeyId | null): boolean {
  return a !== null && b !== null && keyName(a) === keyName(b)
}

/** A text that is equal for equal keys. It holds a foreign key whole: for maps, never for logs. */
export function keyName(id: KeyId): string {
  return id.kind === 'foreign' ? `foreign ${id.key}` : `derived ${id.secret} ${id.generation}`
}

/** The text of a key, or undefined where it derives from a secret that we no longer have. */
export function keyText(id: KeyId, secrets: readonly Secret[], domain: string): string | undefined {
  if (id.kind === 'foreign') return id.key
  const secret = secrets.find(({ fingerprint }) => fingerprint === id.secret)
  return secret && notifyKey(secret, domain, id.generation)
}

/** Whether the key in force is known and can be derived: its secret may have been taken out. */
export function isCurrentKnown({ current }: Ring, secrets: readonly Secret[]): boolean {
  if (current?.kind !== 'derived') return current !== null
  return secrets.some(({ fingerprint }) => fingerprint === current.secret)
}

/** The generation by which a key is shown; a foreign one has none. */
export function shownGeneration(id: KeyId): number {
  return id.kind === 'foreign' ? FOREIGN_GENERATION : id.generation
}

/** The generation in force or, under a foreign key, the highest that this store has seen; else -1. */
export function ringGeneration(ring: Ring): number {
  if (ring.current?.kind === 'derived') return ring.current.generation
  return Math.max(-1, ...ring.keys.map(({ id }) => (id.kind === 'derived' ? id.generation : -1)))
}

/** Whether the key in force has been so for `maxAgeMs`, as far as this store knows; undefined: never. */
export function isTooOld(
  { current, keys }: Ring,
  maxAgeMs: number | undefined,
  now: number,
): boolean {
  const seenAt = keys.find(({ id }) => sameKey(id, current))?.seenAt
  return maxAgeMs !== undefined && seenAt !== undefined && now - seenAt >= maxAgeMs
}

/** The ring after `id` was seen in force. */
export function withCurrent(ring: Ring, id: KeyId, at: Moment): Ring {
  if (sameKey(ring.current, id)) return withUse({ ...ring, current: id }, id, at)
  const superseded = touchCurrent(ring, at)
  // Its age begins anew: else one that is put back would be rotated for what it was before.
  const keys = superseded.keys.filter((key) => !sameKey(key.id, id))
  return withUse({ ...superseded, keys, current: id }, id, at)
}

/**
 * The ring after callbacks were signed with `ids`: a later generation than the one in force, as far
 * as we know, has been in force since. Where the provider shows no key, nothing else tells.
 */
export function withProven(ring: Ring, ids: readonly KeyId[], at: Moment): Ring {
  const { current } = ring
  if (current?.kind !== 'derived') return ring
  const newest = ids.reduce<typeof current>(
    (best, id) => (id.kind === 'derived' && id.generation > best.generation ? id : best),
    current,
  )
  return newest === current ? ring : withCurrent(ring, newest, at)
}

/** The ring after a callback was signed with `id`, or after the key was found where it may be used. */
export function withUse(ring: Ring, id: KeyId, at: Moment): Ring {
  const before = ring.keys.find((key) => sameKey(key.id, id))
  const others = ring.keys.filter((key) => key !== before)
  const keys = [{ id, seenAt: before?.seenAt ?? at.now, usedAt: at.receiving }, ...others]
  return { ...ring, keys: withoutLongestUnused({ ...ring, keys }) }
}

/**
 * The ring without keys that were superseded and unused for `graceSeconds` of receiving time. The
 * generations around the one in force are accepted all the same: they need no record.
 */
export function withoutRetired(ring: Ring, graceSeconds: number, receiving: number): Ring {
  const keys = ring.keys.filter(
    ({ id, usedAt }) => isKept(id, ring) || receiving - usedAt < graceSeconds,
  )
  return keys.length === ring.keys.length ? ring : { ...ring, keys }
}

/** The ring after `url` was seen in force with our settings; the URL before it becomes a former one. */
export function withConfirmedUrl(ring: Ring, url: string): Ring {
  if (ring.confirmedUrl === url) return ring
  return { ...ring, confirmedUrl: url, formerUrls: formerUrlsOnce(ring, url) }
}

/**
 * The ring of a domain that is deregistered on purpose: what is created there later is no drift, and
 * callbacks that still come under its URL are accepted.
 */
export function withReleased(ring: Ring): Ring {
  if (ring.released) return ring
  const formerUrls = formerUrlsOnce(ring, null)
  return { ...ring, released: true, confirmedUrl: null, formerUrls, contest: NO_CONTEST }
}

/** The ring after a release that came to nothing: as it was `before`, in all that a release changes. */
export function withReleaseTakenBack(ring: Ring, before: Ring): Ring {
  const { released, confirmedUrl, formerUrls, contest } = before
  return { ...ring, released, confirmedUrl, formerUrls, contest }
}

/** The ring with another count of what somebody else has overwritten. */
export function withContest(ring: Ring, contest: Contest): Ring {
  return ring.contest === contest ? ring : { ...ring, contest }
}

/**
 * The ring while a write that begins at `now` is under way or not seen yet. Always a new one: saving
 * it is what keeps a write and a command that deregisters apart.
 */
export function withWriteBegun(ring: Ring, now: number): Ring {
  return { ...ring, unseenSince: now }
}

/** The ring once no write is under way, and the last one was seen. */
export function withNothingUnseen(ring: Ring): Ring {
  return ring.unseenSince === null ? ring : { ...ring, unseenSince: null }
}

/**
 * The ring after `seen` was found in force, or null at the beginning: whether the move to the first
 * secret has been made. It is made once: two replicas that differ in which secret is the first would
 * else overwrite each other for ever.
 */
export function withMove(ring: Ring, first: string, seen: KeyId | null): Ring {
  const isMoved = seen?.kind === 'derived' ? seen.secret === first : false
  const movedTo = isMoved || ring.movedTo === first ? first : null
  return ring.movedTo === movedTo ? ring : { ...ring, movedTo }
}

function formerUrlsOnce({ confirmedUrl, formerUrls }: Ring, wanted: string | null): string[] {
  const former = [confirmedUrl ?? [], ...formerUrls].flat().filter((url) => url !== wanted)
  return [...new Set(former)].slice(0, MAX_FORMER_URLS)
}

function touchCurrent(ring: Ring, at: Moment): Ring {
  return ring.current === null ? ring : withUse(ring, ring.current, at)
}

function withoutLongestUnused(ring: Ring): RingKey[] {
  const rank = ({ id, usedAt }: RingKey) => (isKept(id, ring) ? Infinity : usedAt)
  return ring.keys.toSorted((a, b) => rank(b) - rank(a)).slice(0, MAX_KEYS)
}

/**
 * The key in force is never forgotten and, while that is a foreign one, neither is the highest
 * generation: the next rotation goes on from there, and not to a key that was in force before.
 */
function isKept(id: KeyId, ring: Ring): boolean {
  if (sameKey(id, ring.current)) return true
  const isHighest = id.kind === 'derived' && id.generation === ringGeneration(ring)
  return isHighest && ring.current?.kind === 'foreign'
}
