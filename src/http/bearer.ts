// Bearer tokens of the operations API: HS256 under the shared secret, or signed by an issuer whose
// keys are published as a JWKS. Closed when unsure: whatever is not verified is refused, and a key
// set that cannot be fetched is no exception.
import type { JWTVerifyOptions, JWTVerifyResult } from 'jose'
import { createRemoteJWKSet } from 'jose/jwks/remote'
import { SignJWT } from 'jose/jwt/sign'
import { jwtVerify } from 'jose/jwt/verify'

export type Verified = { readonly expiresAt: number }

export type BearerAuth = {
  /**
   * When the token of an `Authorization` header ends, epoch ms; undefined if it is not good now.
   * Never rejects.
   */
  verify(header: string | undefined): Promise<Verified | undefined>
}

const SHARED_ALGORITHM = 'HS256'
/** Asymmetric only: a symmetric one here would let the public key sign. */
const JWKS_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']
/** Seconds. Clocks of a cluster agree better than this; a token outlives its `exp` by as much. */
const CLOCK_TOLERANCE = 5
/** Milliseconds. A request waits for the key set; somebody at a terminal waits for the request. */
const JWKS_TIMEOUT_MS = 3_000
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

/** Verifies tokens under the secret, the key set or both: either suffices. `now` is in epoch ms. */
export function createBearerAuth(deps: {
  secret?: string
  jwks?: { url: string; issuer: string; audience: string }
  now(): number
}): BearerAuth {
  const checks: ((token: string, options: JWTVerifyOptions) => Promise<JWTVerifyResult>)[] = []

  if (deps.secret !== undefined) {
    const key = keyOf(deps.secret)
    checks.push((token, options) =>
      jwtVerify(token, key, { ...options, algorithms: [SHARED_ALGORITHM] }),
    )
  }

  if (deps.jwks !== undefined) {
    const { url, issuer, audience } = deps.jwks
    const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: JWKS_TIMEOUT_MS })
    const expected = { algorithms: JWKS_ALGORITHMS, issuer, audience }
    checks.push((token, options) => jwtVerify(token, keys, { ...options, ...expected }))
  }

  return {
    async verify(header) {
      const token = header?.match(BEARER)?.[1]
      if (token === undefined) return undefined
      const options = {
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE,
        currentDate: new Date(deps.now()),
      }
      for (const check of checks) {
        const verified = await check(token, options).catch(() => undefined)
        if (verified !== undefined) return { expiresAt: Number(verified.payload.exp) * 1000 }
      }
      return undefined
    },
  }
}

/** A token for the command line, signed under the shared secret. */
export function issueToken(
  secret: string,
  { ttlSeconds, nowSeconds }: { ttlSeconds: number; nowSeconds: number },
): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: SHARED_ALGORITHM, typ: 'JWT' })
    .setSubject('snaphook-cli')
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ttlSeconds)
    .sign(keyOf(secret))
}

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret)
}
