// Whether credentials are found, and where. The chain names its link; the keys themselves are not
// shown, not even the id.

import { describeError } from '../../errors.ts'
import type { CredentialsProvider } from '../../ports/credentials.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, problem } = findingsOf('credentials')

/** The links of the chain in words; what the library calls them comes after a slash. */
const SOURCES: Readonly<Record<string, string>> = {
  env: 'environment variables',
  oidc_role_arn: 'OIDC, as with RRSA',
  cli_profile: 'the profile of the Alibaba Cloud CLI',
  profile: 'the credentials file',
  ecs_ram_role: 'the RAM role of this ECS instance',
  credential_uri: 'ALIBABA_CLOUD_CREDENTIALS_URI',
}

export async function checkCredentials(credentials: CredentialsProvider): Promise<Finding> {
  try {
    const { providerName, securityToken } = await credentials.getCredentials()
    const link = providerName?.split('/').find((part) => part in SOURCES)
    const source = link === undefined ? 'the chain' : (SOURCES[link] ?? link)
    const kind = securityToken ? 'a temporary token' : 'an access key'
    return ok('Alibaba Cloud', `${kind}, found in ${source}`)
  } catch (error) {
    return problem('Alibaba Cloud', describeError(error), 'then run doctor again')
  }
}
