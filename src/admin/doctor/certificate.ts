// The certificate behind the public URL, as a strict client sees it: chain, host name, expiry, and
// whether a client that sends no server name (SNI) gets the same one, as the provider may be such.
import { isIP } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warning, problem, notChecked } = findingsOf('public_url')

const TIMEOUT_MS = 5_000
const DAY_MS = 86_400_000
/** Renewal that works is done by then: ACME clients renew at 30 days. */
const EXPIRES_SOON_DAYS = 14

type Seen = { readonly error: string | null; readonly certificate: PeerCertificate }

export async function checkCertificate(
  url: URL,
  { now, signal }: { now: number; signal: AbortSignal },
): Promise<Finding[]> {
  const { host } = url
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port || 443)
  try {
    const seen = await handshake({ hostname, port, serverName: true }, signal)
    const named = judge(host, seen, now)
    if (seen.error !== null) return [named]
    const bare = await handshake({ hostname, port, serverName: false }, signal).catch(() => null)
    const same = bare?.certificate.fingerprint256 === seen.certificate.fingerprint256
    return same ? [named] : [named, needsServerName(host)]
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
    return [notChecked(host, `no TLS connection (${code})`, 'start what terminates TLS')]
  }
}

function judge(host: string, { error, certificate }: Seen, now: number): Finding {
  const days = Math.floor((Date.parse(certificate.valid_to) - now) / DAY_MS)
  if (error !== null) {
    return problem(host, `its certificate is not accepted (${error})`, adviceFor(error))
  }
  if (days < EXPIRES_SOON_DAYS) {
    return warning(host, `its certificate expires in ${days} days`, 'see why it is not renewed')
  }
  return ok(host, `its certificate is good for ${days} more days`)
}

function needsServerName(host: string): Finding {
  return warning(
    host,
    'a client that sends no server name (SNI) gets another certificate, or none',
    'if callbacks do not arrive, serve this host on an address of its own, or use http',
  )
}

function adviceFor(code: string): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'renew the certificate, which has expired'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'get one for this host name'
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'serve the whole chain, intermediates included'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return 'get one from a public authority'
    default:
      return 'see the code in the documentation of OpenSSL'
  }
}

/** Rejects where no TLS connection comes about; what is wrong with the certificate is a value. */
function handshake(
  { hostname, port, serverName }: { hostname: string; port: number; serverName: boolean },
  signal: AbortSignal,
): Promise<Seen> {
  const { promise, resolve, reject } = Promise.withResolvers<Seen>()
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const socket = connect(
    {
      host: hostname,
      port,
      // Judged by us, so that the certificate can be shown too.
      rejectUnauthorized: false,
      // No name stands for an address (RFC 6066).
      ...(serverName && isIP(hostname) === 0 ? { servername: hostname } : {}),
    },
    () => {
      const error = socket.authorizationError as unknown
      resolve({ error: codeOf(error), certificate: socket.getPeerCertificate() })
      socket.destroy()
    },
  )
  socket.on('error', reject)
  const late = (): void => {
    socket.destroy()
    reject(new Error('no answer in time'))
  }
  inTime.addEventListener('abort', late, { once: true })
  if (inTime.aborted) late()
  return promise.finally(() => inTime.removeEventListener('abort', late))
}

/** Node gives a code, or an error that has one. */
function codeOf(error: unknown): string | null {
  if (!error) return null
  if (error instanceof Error && 'code' in error) return String(error.code)
  return String(error)
}
