// Certificates by an authority of the tests' own, made with openssl.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0

const KEY = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** A new authority; `remove` it after its certificates are not in use any more. */
export function createAuthority() {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-tls-'))
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  openssl(...KEY, '-x509', '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem')

  return {
    ca: read('ca.pem'),
    /** Files of the certificate that was issued last, and of the authority. */
    files: {
      key: join(folder, 'leaf.key'),
      cert: join(folder, 'leaf.pem'),
      ca: join(folder, 'ca.pem'),
    },
    /** A key, and a certificate for `host`. */
    issue(host: string, days = 90) {
      writeFileSync(join(folder, 'san'), `subjectAltName=DNS:${host}`)
      openssl(...KEY, '-subj', `/CN=${host}`, '-keyout', 'leaf.key', '-out', 'leaf.csr')
      const signed = ['x509', '-req', '-in', 'leaf.csr', '-out', 'leaf.pem', '-days', `${days}`]
      const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
      openssl(...signed, ...authority, '-extfile', 'san')
      return { key: read('leaf.key'), cert: read('leaf.pem') }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
