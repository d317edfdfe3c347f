// Which keys a callback may be signed with, and what each is to the one in force.
import {
  type DerivedKey,
  type KeyId,
  keyText,
  MAX_KEYS,
  type Ring,
  ringGeneration,
  sameKey,
} from './key-ring.ts'
import { notifyKey, type Secret } from './notify-key.ts'

/** How far back a key of ours is accepted whatever its use. */
const GENERATIONS_BACK = 2
/** Until the key in force is known, generations 0 up to this one are tried. */
const LAST_UNSEEN_GENERATION = 3
/** Further generations to try if the provider hides its key and no accepted key verifies. */
const GENERATIONS_BEYOND = 16
export const KEY_ROLES = ['current', 'next', 'previous', 'foreign'] as const
export type KeyRole = (typeof KEY_ROLES)[number]
export type AcceptedKey = {
  readonly key: string
  readonly id: KeyId
  readonly role: KeyRole
}

/**
 * The keys that a callback of `domain` may be signed with, at most 16, the likeliest first: the
 * key in force, the generations around it, then what this store has seen, the longest unused last.
 */
export function acceptedKeys(
  ring: Ring,
  secrets: readonly Secret[],
  domain: string,
): AcceptedKey[] {
  const around = (some: readonly Secret[]) =>
    some.flatMap((secret) => generationsAround(ring, secret))
  const seen = ring.keys.toSorted((a, b) => b.usedAt - a.usedAt).map(({ id }) => id)
  const likely = [ring.current ?? [], around(secrets.slice(0, 1))].flat()
  const accepted = new Map<string, AcceptedKey>()
  for (const id of [...likely, ...seen, ...around(secrets.slice(1))]) {
    const key = keyText(id, secrets, domain)
    if (key !== undefined && !accepted.has(key)) {
      accepted.set(key, { key, id, role: roleOf(id, ring, secrets) })
    }
  }
  return [...accepted.values()].slice(0, MAX_KEYS)
}

/**
 * The keys of some generations after those that are accepted. Where the provider shows no key,
 * replicas may have rotated on unseen: only a callback can prove it, since it takes our secret.
 */
export function keysBeyond(ring: Ring, secrets: readonly Secret[], domain: string): AcceptedKey[] {
  const from = lastAccepted(ring) + 1
  return secrets.flatMap((secret) =>
    generations(secret, from, lastAccepted(ring) + GENERATIONS_BEYOND).map((id) => ({
      key: notifyKey(secret, domain, id.generation),
      id,
      role: 'next' as const,
    })),
  )
}

function generationsAround(ring: Ring, secret: Secret): KeyId[] {
  const from = Math.max(0, ringGeneration(ring) - GENERATIONS_BACK)
  return generations(secret, from, lastAccepted(ring))
}

function lastAccepted(ring: Ring): number {
  const generation = ringGeneration(ring)
  return generation < 0 ? LAST_UNSEEN_GENERATION : generation + 1
}

function generations(secret: Secret, from: number, to: number): DerivedKey[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    kind: 'derived',
    secret: secret.fingerprint,
    generation: from + index,
  }))
}

/** What a key is to the one in force. */
export function roleOf(id: KeyId, ring: Ring, secrets: readonly Secret[]): KeyRole {
  if (id.kind === 'foreign') return 'foreign'
  if (sameKey(id, ring.current)) return 'current'
  const generation = ringGeneration(ring)
  if (id.generation !== generation) return id.generation > generation ? 'next' : 'previous'
  const isNext = ring.current?.kind === 'derived' && id.secret === secrets[0]?.fingerprint
  return isNext ? 'next' : 'previous'
}
