// Credentials of the provider, in the form that its SDK asks for. Types only.

export type Credentials = {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
  /** Where they were found: links of the chain with slashes between, such as `default/env`. */
  readonly providerName?: string
}

/** Asked for every call, so that STS tokens are renewed. */
export interface CredentialsProvider {
  /** Rejects with `api_credentials` where there are none. */
  getCredentials(): Promise<Credentials>
  /** Forgets what is held: the source is asked anew, whatever date was given. */
  renew?(): void
}
