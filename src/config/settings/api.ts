// Who may read the API: tokens that we sign, or those of an identity provider.
import { MIN_SECRET_BYTES } from '../../core/keys/notify-key.ts'
import { Problem } from '../../core/problem.ts'
import { readPlainUrl, readText } from '../readers.ts'
import { setting } from '../setting.ts'

export const API_SETTINGS = {
  apiSecret: setting({
    env: 'SNAPHOOK_API_SECRET',
    secret: true,
    none: undefined,
    read: readApiSecret,
    about: 'signs bearer tokens (HS256); 32 characters or more',
  }),
  apiJwksUrl: setting({
    env: 'SNAPHOOK_API_JWKS_URL',
    none: undefined,
    read: readPlainUrl,
    about: "an identity provider's key set; goes with the next two",
  }),
  apiIssuer: setting({
    env: 'SNAPHOOK_API_ISSUER',
    none: undefined,
    read: readText,
    about: 'the `iss` of its tokens',
  }),
  apiAudience: setting({
    env: 'SNAPHOOK_API_AUDIENCE',
    none: undefined,
    read: readText,
    about: 'the `aud` of its tokens',
  }),
}

function readApiSecret(given: string): string | Problem {
  const fit = Buffer.byteLength(given) >= MIN_SECRET_BYTES
  return fit ? given : new Problem(`must have ${MIN_SECRET_BYTES} characters or more`)
}
