// Where a store is: a file of this machine, or a schema on a PostgreSQL that replicas share.

export type PostgresLocation = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  /** Lower-case letters, digits and `_`: it goes into statements. */
  readonly schema: string
  /** `require` encrypts without knowing to whom. */
  readonly sslMode: 'verify-full' | 'require' | 'disable'
  /** The path of the certificates to trust; the system's where there is none. */
  readonly sslRootCert: string | undefined
  /** What an acknowledged commit is worth: flushed by the standby too, or by the primary alone. */
  readonly durability: 'standby' | 'primary'
}

export type StorePlace =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly location: PostgresLocation }

/** For messages, logs and answers: no login. */
export function storeName(place: StorePlace): string {
  return place.kind === 'sqlite' ? place.path : locationName(place.location)
}

export function locationName({ host, port, database, schema }: PostgresLocation): string {
  return `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${database}?schema=${schema}`
}

/**
 * What keeps an event that was answered 200, as a shared store's server is set: its primary's disk, or a
 * standby as well; or nothing, where it does not sync. Unknown before it was asked, and of a file.
 */
export const KEPT_BY = ['unknown', 'nothing', 'primary', 'standby'] as const
export type KeptBy = (typeof KEPT_BY)[number]
