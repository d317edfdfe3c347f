// Credentials of Alibaba Cloud from the usual chain: environment, OIDC (RRSA), profiles, ECS role.
import { DefaultCredentialsProvider } from '@alicloud/credentials'
import { ServiceError } from '../errors.ts'

export type Credentials = {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
  /** Where they were found: links of the chain with slashes between, such as `default/env`. */
  readonly providerName?: string
}

/** In the form that pop-core asks for: once for every call, so that STS tokens are renewed. */
export interface CredentialsProvider {
  getCredentials(): Promise<Credentials>
}

const defaultChain = (): CredentialsProvider => DefaultCredentialsProvider.builder().build()

/**
 * The usual chain. Rejects with `api_credentials` where it finds nothing: pop-core would send an
 * unsigned request. After a failure the chain is built anew, since the library's own one remembers
 * the last provider that it tried (FACTS 5.4).
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
  }
}
