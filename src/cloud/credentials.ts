// Credentials of Alibaba Cloud from the usual chain: environment, OIDC (RRSA), profiles, ECS role.
import { DefaultCredentialsProvider } from '@alicloud/credentials'
import { ServiceError } from '../errors.ts'
import type { CredentialsProvider } from '../ports/credentials.ts'

const defaultChain = (): CredentialsProvider => DefaultCredentialsProvider.builder().build()

/**
 * The usual chain. Rejects with `api_credentials` where it finds nothing: pop-core would send an
 * unsigned request. After a failure the chain is built anew, since the library's own one remembers
 * the last provider that it tried (docs/provider.md#api-client).
 */
export function createCredentials(build = defaultChain): CredentialsProvider {
  let chain: CredentialsProvider | undefined
  return {
    async getCredentials() {
      try {
        chain ??= build()
        const credentials = await chain.getCredentials()
        if (credentials.accessKeyId && credentials.accessKeySecret) return credentials
        throw new TypeError('empty credentials')
      } catch (cause) {
        chain = undefined
        throw new ServiceError(
          'no Alibaba Cloud credentials found: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or give the machine or pod a RAM role',
          { code: 'api_credentials', cause },
        )
      }
    },
    renew() {
      chain = undefined
    },
  }
}
