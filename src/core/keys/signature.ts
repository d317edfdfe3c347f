// Signs and verifies a callback: `md5(host|timestamp|key)`, the provider's rule
// (docs/provider.md#signature). The signature covers neither body nor path. No clock: `now` is
// always passed in.
import { hash, timingSafeEqual } from 'node:crypto'

/** Twelve digits reach past the year 33000: more is never a Unix time in seconds. */
const MAX_TIMESTAMP_DIGITS = 12
const TIMESTAMP = new RegExp(`^[0-9]{1,${MAX_TIMESTAMP_DIGITS}}$`)
const MD5_HEX = /^[0-9a-fA-F]{32}$/
/** Pairs of host and key that are all tried for every callback. */
const MAX_PAIRS = 64
/** Of more pairs, those are tried at first whose ranks, counted from 1, multiply to this: some 60. */
const MAX_RANK = 20

/** The signature of a callback, as 32 lower-case hex digits. `timestamp` is in Unix seconds. */
export function sign(host: string, timestamp: string, key: string): string {
  return hash('md5', `${host}|${timestamp}|${key}`)
}

export type TimestampProblem = 'bad_timestamp' | 'stale' | 'future'

/**
 * Checks the signed timestamp against the clock. `skewSeconds` undefined switches the comparison
 * off, as the provider's page allows. Returns the time in Unix seconds, or the problem.
 */
export function checkTimestamp(
  timestamp: string,
  nowSeconds: number,
  skewSeconds: number | undefined,
): number | TimestampProblem {
  if (!TIMESTAMP.test(timestamp)) return 'bad_timestamp'
  const seconds = Number(timestamp)
  if (skewSeconds === undefined) return seconds
  if (nowSeconds - seconds > skewSeconds) return 'stale'
  if (seconds - nowSeconds > skewSeconds) return 'future'
  return seconds
}

export type Signer<K> = { readonly key: K; readonly host: string }

/**
 * The first of `keys` that signs this callback under one of `hosts`, or undefined; both in the order
 * of likelihood. The work is bounded: only a thorough search tries an unlikely key under an unlikely
 * host as well. Digests are compared in constant time; hex is accepted in either case, since the
 * provider names none.
 */
export function findSigner<K extends { key: string }>(
  callback: { timestamp: string; signature: string },
  hosts: readonly string[],
  keys: readonly K[],
  isThorough: boolean,
): Signer<K> | undefined {
  if (!MD5_HEX.test(callback.signature)) return undefined
  const given = Buffer.from(callback.signature, 'hex')
  const maxRank = isThorough || hosts.length * keys.length <= MAX_PAIRS ? Infinity : MAX_RANK
  for (const [index, key] of keys.entries()) {
    const end = Math.min(hosts.length, Math.floor(maxRank / (index + 1)))
    for (const host of end === hosts.length ? hosts : hosts.slice(0, end)) {
      const expected = Buffer.from(sign(host, callback.timestamp, key.key), 'hex')
      if (timingSafeEqual(expected, given)) return { key, host }
    }
  }
  return undefined
}

/**
 * Every spelling of a callback URL's host that may have been signed: without port, with the port
 * that the URL shows, and as it was configured. The provider names neither port nor case.
 */
export function signedHosts(configuredUrl: string): string[] {
  const { hostname, host } = new URL(configuredUrl)
  const spelled = configuredUrl.replace(/^[a-z]+:\/\//i, '').replace(/[/?#].*$/, '')
  return [...new Set([hostname, host, spelled.replace(/:[0-9]*$/, ''), spelled])]
}
