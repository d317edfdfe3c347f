// The RPC signature, version 1.0 (HMAC-SHA1), that API calls carry. Written after the provider's
// description and independently of any client.
import { createHmac, timingSafeEqual } from 'node:crypto'

export type Params = Readonly<Record<string, string>>

/** What encodeURIComponent leaves alone and the provider's rule does not. */
const ALSO_ENCODED = /[!'()*]/g

/** The value that `Signature` must have for these parameters, as base64. */
export function signRequest(method: string, params: Params, accessKeySecret: string): string {
  const canonical = Object.keys(params)
    .filter((name) => name !== 'Signature')
    .sort()
    .map((name) => `${encode(name)}=${encode(params[name] ?? '')}`)
    .join('&')
  const stringToSign = `${method}&${encode('/')}&${encode(canonical)}`
  return createHmac('sha1', `${accessKeySecret}&`).update(stringToSign).digest('base64')
}

/** Compares two signatures in constant time. */
export function sameSignature(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given)
  return a.length === b.length && timingSafeEqual(a, b)
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    ALSO_ENCODED,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
