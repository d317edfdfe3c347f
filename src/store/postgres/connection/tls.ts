// How a connection is encrypted. The URL's own `sslmode` is never given to the client, which reads it
// in another way from one major to the next.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { PostgresLocation } from '../../../core/store-place.ts'
import { storeFault } from './faults.ts'

type TlsOptions = { readonly rejectUnauthorized: boolean; readonly ca?: string }

/** Throws a fault where the certificates to trust can't be read. */
export function tlsOf(location: PostgresLocation): TlsOptions | false {
  const { sslMode, sslRootCert } = location
  if (sslMode === 'disable') return false
  if (sslMode === 'require') return { rejectUnauthorized: false }
  if (sslRootCert === undefined) return { rejectUnauthorized: true }
  return { rejectUnauthorized: true, ca: readCertificates(sslRootCert, location) }
}

function readCertificates(path: string, location: PostgresLocation): string {
  let reason = "can't be read"
  try {
    const text = readFileSync(path, 'utf8')
    reason = 'no certificate in PEM form is in it'
    // TLS itself would pass over it in silence.
    new X509Certificate(text)
    return text
  } catch (error) {
    const problem = `has an sslrootcert that can't be used (${path}: ${reason}): correct SNAPHOOK_STORE, or the file`
    throw storeFault(location, problem, 'store_unavailable', error)
  }
}
