// The keys that we register with the provider: derived from the secret, per domain and generation,
// so that every replica that shares the secret knows them all without talking to the others.
import { hkdfSync } from 'node:crypto'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LETTERS_AND_DIGITS = `${LETTERS}0123456789`
/**
 * The longest key that the provider takes: 16 to 32 letters and digits
 * (docs/provider.md#signature).
 */
const KEY_LENGTH = 32
/** 384 bits reduced to 190: the bias of the reduction is below 2^-190. */
const DERIVED_BYTES = 48
const KEY_FORM = /^[A-Za-z0-9]{16,32}$/
/** Fewer tell of a key that somebody typed to try things out; such a key is never adopted. */
const MIN_DISTINCT_CHARACTERS = 6
/** Generations that are searched if none is known: at 90 days each, more than a century. */
export const MAX_GENERATIONS = 512
/** How far from the one that this store knows others may have rotated, back or forth. */
const GENERATIONS_AROUND = 64

/** Derived keys kept in memory per secret: each change of a ring asks for the same handful again. */
const MAX_KEPT_KEYS = 4_096
const kept = new WeakMap<Secret, Map<string, string>>()

/** What a 256-bit key is derived from should hold as much itself. */
export const MIN_SECRET_BYTES = 32
const SECRET_FORM = /^[A-Za-z0-9_-]+={0,2}$/

/** The root of everything that is derived: raw bytes, and a fingerprint that may be shown. */
export type Secret = { readonly bytes: Uint8Array; readonly fingerprint: string }

function derive(secret: Uint8Array, purpose: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'snaphook', purpose, length))
}

/** The bytes of a secret as it is written, base64url; undefined where that is no secret or too short. */
export function parseSecret(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, 'base64url'))
  return SECRET_FORM.test(text) && bytes.length >= MIN_SECRET_BYTES ? bytes : undefined
}

export function secretFrom(bytes: Uint8Array): Secret {
  return { bytes, fingerprint: derive(bytes, 'fingerprint', 4).toString('hex') }
}

/** The 256-bit key that seals foreign keys at rest. */
export function sealingKey(secret: Secret): Uint8Array {
  return new Uint8Array(derive(secret.bytes, 'seal', 32))
}

/** The 256-bit key that answers a probe; see `probe.ts`. */
export function probeKey(secret: Secret): Uint8Array {
  return new Uint8Array(derive(secret.bytes, 'probe', 32))
}

/**
 * The notify key of a domain and generation: 32 letters and digits. It starts with a letter, since
 * a key of digits alone may come back from the API as a JSON number (docs/provider.md#operations).
 */
export function notifyKey(secret: Secret, domain: string, generation: number): string {
  const name = `${domain}|${generation}`
  const keys = kept.get(secret) ?? new Map<string, string>()
  const known = keys.get(name)
  if (known !== undefined) return known
  const key = deriveKey(secret, domain, generation)
  if (keys.size >= MAX_KEPT_KEYS) keys.clear()
  kept.set(secret, keys.set(name, key))
  return key
}

function deriveKey(secret: Secret, domain: string, generation: number): string {
  const derived = derive(secret.bytes, `notify-key|${domain}|${generation}`, DERIVED_BYTES)
  let rest = BigInt(`0x${derived.toString('hex')}`)
  const take = (alphabet: string): string => {
    const size = BigInt(alphabet.length)
    const character = alphabet.charAt(Number(rest % size))
    rest /= size
    return character
  }
  let key = take(LETTERS)
  while (key.length < KEY_LENGTH) key += take(LETTERS_AND_DIGITS)
  return key
}

/** Whether a text is a key for the provider. */
export function hasKeyForm(key: string): boolean {
  return KEY_FORM.test(key)
}

/** Whether a key that somebody else set is fit to be used: of the right form and not trivial. */
export function isUsableKey(key: string): boolean {
  if (!hasKeyForm(key)) return false
  const seen = new Set<string>()
  for (const character of key) {
    if (seen.add(character).size >= MIN_DISTINCT_CHARACTERS) return true
  }
  return false
}

/** `near`: the generation that this store knows, -1 for none; it is looked for around that first. */
export type KeySearch = (
  key: string,
  domain: string,
  near?: number,
) => { readonly secret: string; readonly generation: number } | undefined

/**
 * Makes the search that tells which of our keys one is, the newest secret first; it answers
 * undefined for a foreign key. A search costs thousands of hashes, so the last answer of each
 * domain is remembered.
 */
export function createKeySearch(secrets: readonly Secret[]): KeySearch {
  const last = new Map<string, { key: string; near: number; found: ReturnType<KeySearch> }>()
  return (key, domain, near = -1) => {
    const remembered = last.get(domain)
    if (remembered?.key === key && remembered.near === near) return remembered.found
    const found = searchKey(key, secrets, domain, near)
    last.set(domain, { key, near, found })
    return found
  }
}

function searchKey(
  key: string,
  secrets: readonly Secret[],
  domain: string,
  near: number,
): ReturnType<KeySearch> {
  for (const secret of secrets) {
    for (const generation of generationsFrom(near)) {
      if (deriveKey(secret, domain, generation) === key) {
        return { secret: secret.fingerprint, generation }
      }
    }
  }
  return undefined
}

/** Those around `near`, then the rest of the first ones. */
function* generationsFrom(near: number): Generator<number> {
  const from = Math.max(0, near - GENERATIONS_AROUND)
  const to = near < 0 ? from : near + GENERATIONS_AROUND
  for (let generation = from; generation < to; generation++) yield generation
  for (let generation = 0; generation < MAX_GENERATIONS; generation++) {
    if (generation < from || generation >= to) yield generation
  }
}
