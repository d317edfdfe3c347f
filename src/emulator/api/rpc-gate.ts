// The gate in front of every API call: who calls, when, and was it said before. Checks in the
// order of the provider's gateway; the memory for nonces is bounded.
import { parseTime } from '../iso-time.ts'
import { type Refusal, refuse } from './rpc-errors.ts'
import { type Params, sameSignature, signRequest } from './rpc-signature.ts'

/** The provider refuses timestamps that are further off than this. */
const MAX_SKEW_MS = 15 * 60_000
/** A call dated ahead by the whole skew can come again until it is behind by the whole skew. */
const NONCE_LIFE_MS = 2 * MAX_SKEW_MS
/** Half an hour at the documented 30 calls a second of one operation, twice over. */
const MAX_NONCES = 100_000

export type Gate = ReturnType<typeof createGate>

/** Lets a signed call pass (undefined) or says why not. */
export function createGate(options: {
  accessKeyId: string
  accessKeySecret: string
  now: () => number
}) {
  const { accessKeyId, accessKeySecret, now } = options
  const nonces = new Map<string, number>()

  function isReplay(nonce: string): boolean {
    for (const [old, seenAt] of nonces) {
      const isFresh = now() - seenAt <= NONCE_LIFE_MS && nonces.size < MAX_NONCES
      if (isFresh) break
      nonces.delete(old)
    }
    if (nonces.has(nonce)) return true
    nonces.set(nonce, now())
    return false
  }

  return {
    check(method: string, params: Params): Refusal | undefined {
      if (!params.AccessKeyId) return refuse('MissingAccessKeyId')
      if (params.AccessKeyId !== accessKeyId) return refuse('InvalidAccessKeyId.NotFound')
      const sentAt = parseTime(params.Timestamp ?? '')
      if (sentAt === undefined) return refuse('InvalidTimeStamp.Format')
      if (Math.abs(now() - sentAt) > MAX_SKEW_MS) return refuse('InvalidTimeStamp.Expired')
      const expected = signRequest(method, params, accessKeySecret)
      if (!sameSignature(expected, params.Signature ?? '')) return refuse('SignatureDoesNotMatch')
      if (isReplay(params.SignatureNonce ?? '')) return refuse('SignatureNonceUsed')
      return undefined
    },
  }
}
