// What a fault of the network or of TLS says of a sink, in words: decided by its code, never by its
// message, which may hold a URL. A certificate or a protocol that is wrong stays so until somebody
// acts; everything else may pass.
import type { DeliveryOutcome } from '../../core/delivery/outcome.ts'

export type Undelivered = Exclude<DeliveryOutcome, { kind: 'delivered' }>

const UNKNOWN_AUTHORITY =
  'its certificate is of an authority that is not known here (NODE_EXTRA_CA_CERTS names a file of more)'

/** As Node.js names what is wrong with a certificate. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  HOSTNAME_MISMATCH: 'its certificate is for another host name',
  CERT_REVOKED: 'its certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
}
/** The others: a chain that is broken, too long, or for another purpose. */
const OTHER_CERTIFICATE_FAULT =
  /^(CERT_|CRL_|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_|UNABLE_TO_DEC)/
/** The handshake of TLS itself failed. */
const TLS_FAULT = /^(ERR_SSL_|EPROTO$)/
/** What answers is not HTTP; the parser of HTTP says so. */
const HTTP_FAULT = /^HPE_/

/** What the codes of the network mean, where that is not plain from the code. */
const NETWORK_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known to the DNS',
  EAI_AGAIN: 'the DNS does not answer',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ETIMEDOUT: 'nothing came back in time',
  UND_ERR_CONNECT_TIMEOUT: 'nothing came back in time',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
}
/** With these nothing was sent: no event is to blame. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * The outcome of an attempt that met `error`. `wasSent`: whether there was a connection, and events
 * may have been on it; undefined where only the code can tell.
 */
export function connectionFault(error: unknown, wasSent?: boolean): Undelivered {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined)
  const act = code === undefined ? undefined : needsAction(code)
  if (act !== undefined) return { kind: 'refused', reason: `${act} (${code})` }
  const strike = wasSent ?? (code === undefined || !BEFORE_SENDING.has(code))
  const plain = strike ? 'no answer' : 'no connection'
  return { kind: 'failed', reason: `${plain}${inWords(code)}`, ...(strike && { strike }) }
}

function inWords(code: string | undefined): string {
  if (code === undefined) return ''
  const words = NETWORK_FAULTS[code]
  return words === undefined ? ` (${code})` : `: ${words} (${code})`
}

/** What somebody has to put right; undefined for a code that may pass. */
function needsAction(code: string): string | undefined {
  const certificate = CERTIFICATE_FAULTS[code]
  if (certificate !== undefined) return certificate
  if (OTHER_CERTIFICATE_FAULT.test(code)) return 'its certificate is not accepted'
  if (TLS_FAULT.test(code)) return 'no TLS there that we could agree on: is it the right port?'
  if (HTTP_FAULT.test(code)) return 'what answers there is not HTTP: is it the right port?'
  return undefined
}

/** The code of a fault of the network or of TLS, never its message: that may hold a URL. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z][A-Z0-9_]{2,50}$/.test(code) ? code : undefined
}
