// Where a store is: what `SNAPHOOK_STORE=postgres://…` says, and how it is named to people.
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

/** For messages, logs and answers: no login. */
export function nameOf({ host, port, database, schema }: PostgresLocation): string {
  return `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${database}?schema=${schema}`
}

/** A statement with `@` replaced by the schema: `@.events`, `'@'::regnamespace`. */
export function inSchema(schema: string, statement: string): string {
  return statement.replaceAll('@.', `"${schema}".`).replaceAll("'@'", `'"${schema}"'`)
}

/** What `synchronous_commit` is to be for what must not be lost. */
export function syncOf({ durability }: PostgresLocation): 'on' | 'local' {
  return durability === 'standby' ? 'on' : 'local'
}
