// Reads `SNAPHOOK_STORE`: sqlite:PATH, or postgres://… with parameters of ours. The client's own
// reading of such URLs is not used: it lets the environment and unknown parameters have a say.
import { Problem } from '../core/problem.ts'
import type { PostgresLocation, StorePlace } from '../core/store-place.ts'

const FORMS =
  'must be sqlite:PATH, such as sqlite:data/snaphook.db, or postgres://ROLE:PASSWORD@HOST/DATABASE'
const DEFAULT_PORT = 5432
/** It goes into statements as it is; PostgreSQL keeps names of up to 63 bytes. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/
const SSL_MODES = ['verify-full', 'require', 'disable'] as const
const DURABILITIES = ['standby', 'primary'] as const
const PARAMETERS = ['schema', 'sslmode', 'sslrootcert', 'durability']

export function readStore(given: string): StorePlace | Problem {
  if (/^postgres(ql)?:/i.test(given)) return readPostgres(given)
  const path = given.startsWith('sqlite:') ? given.slice('sqlite:'.length) : ''
  if (path === '' || path.startsWith(':')) return new Problem(FORMS)
  return { kind: 'sqlite', path }
}

function readPostgres(given: string): StorePlace | Problem {
  const url = URL.parse(given)
  const database = url === null ? '' : decoded(url.pathname.slice(1))
  const user = url === null ? '' : decoded(url.username)
  if (url === null || !url.hostname || !user || !database || database.includes('/') || url.hash) {
    return new Problem(FORMS)
  }
  const unknown = [...url.searchParams.keys()].filter((name) => !PARAMETERS.includes(name))
  if (unknown.length > 0) {
    const names = [...new Set(unknown)].map((name) => JSON.stringify(name.slice(0, 40)))
    return new Problem(`knows no parameter ${names.join(', ')}: only ${PARAMETERS.join(', ')}`)
  }
  const one = (name: string) => url.searchParams.getAll(name)
  if (PARAMETERS.some((name) => one(name).length > 1)) {
    return new Problem('must have each parameter once')
  }
  const schema = one('schema')[0] ?? 'snaphook'
  const sslMode = SSL_MODES.find((mode) => mode === (one('sslmode')[0] ?? 'verify-full'))
  const durability = DURABILITIES.find((each) => each === (one('durability')[0] ?? 'standby'))
  const sslRootCert = one('sslrootcert')[0]
  if (!SCHEMA.test(schema) || schema.startsWith('pg_')) {
    return new Problem('must have a schema of lower-case letters, digits and _, such as snaphook')
  }
  if (sslMode === undefined) return new Problem(`must have sslmode ${SSL_MODES.join(', ')}`)
  if (durability === undefined) {
    return new Problem(`must have durability ${DURABILITIES.join(' or ')}`)
  }
  if (sslRootCert !== undefined && sslMode !== 'verify-full') {
    return new Problem('has sslrootcert, which is for sslmode verify-full only')
  }
  const location: PostgresLocation = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    user,
    password: url.password === '' ? undefined : decoded(url.password),
    database,
    schema,
    sslMode,
    sslRootCert,
    durability,
  }
  return { kind: 'postgres', location }
}

/** An empty text where it is not well encoded, which no name may be. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
