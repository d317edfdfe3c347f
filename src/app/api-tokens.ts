// Bearer tokens of the operations API: what checks them, and what issues them.
import type { Config } from '../config/config.ts'
import { type BearerAuth, createBearerAuth, issueToken } from '../http/bearer.ts'
import type { Clock } from '../ports/clock.ts'

/** A token for `/v1`, signed with the API secret. */
export const issueApiToken = issueToken

/** What checks a token, or undefined where the settings name no way to. */
export function createApiAuth(
  { apiSecret, apiJwks }: Config,
  clock: Clock,
): BearerAuth | undefined {
  if (apiSecret === undefined && apiJwks === undefined) return undefined
  return createBearerAuth({
    ...(apiSecret === undefined ? {} : { secret: apiSecret }),
    ...(apiJwks === undefined ? {} : { jwks: apiJwks }),
    now: clock.now,
  })
}
