// URLs of OSS that carry their own signature, version 4:
// https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls. Our own forty
// lines: ali-oss brings 25 packages for them, and the SDK of version 2 is not on npm. Held to the
// vectors of the provider's SDKs.
import { createHash, createHmac } from 'node:crypto'
import type { Credentials } from '../../ports/credentials.ts'

const VERSION = 'OSS4-HMAC-SHA256'
const TERMINATOR = 'aliyun_v4_request'

export type Presigned = {
  readonly method: 'GET' | 'HEAD' | 'PUT'
  readonly host: string
  readonly bucket: string
  readonly region: string
  readonly object: string
  readonly query: Readonly<Record<string, string>>
  /** Those that whoever uses the URL has to send as well; `content-type` and `x-oss-…` only. */
  readonly headers?: Readonly<Record<string, string>>
  /** Epoch ms. */
  readonly signedAt: number
  readonly expiresSeconds: number
}

/** The URL of an object, good from `signedAt` on. */
export function presign(request: Presigned, credentials: Credentials): string {
  const { method, host, bucket, region, object, headers = {}, signedAt, expiresSeconds } = request
  const time = new Date(signedAt).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const day = time.slice(0, 8)
  const scope = `${day}/${region}/oss/${TERMINATOR}`
  const query = canonical({
    ...request.query,
    'x-oss-signature-version': VERSION,
    'x-oss-credential': `${credentials.accessKeyId}/${scope}`,
    'x-oss-date': time,
    'x-oss-expires': String(expiresSeconds),
    ...(credentials.securityToken && { 'x-oss-security-token': credentials.securityToken }),
  })
  const signedHeaders = Object.entries(headers)
    .map(([name, value]) => `${name.toLowerCase()}:${value.trim()}\n`)
    .sort()
    .join('')
  const path = encodePath(object)
  const canonicalRequest = [
    method,
    `/${bucket}/${path}`,
    query,
    signedHeaders,
    '',
    'UNSIGNED-PAYLOAD',
  ].join('\n')
  const digest = createHash('sha256').update(canonicalRequest).digest('hex')
  const text = [VERSION, time, scope, digest].join('\n')
  const key = [day, region, 'oss', TERMINATOR].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `aliyun_v4${credentials.accessKeySecret}`,
  )
  const signature = createHmac('sha256', key).update(text).digest('hex')
  return `https://${host}/${path}?${query}&x-oss-signature=${signature}`
}

/** Sorted by name after encoding; a parameter without a value has no `=`. */
function canonical(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&')
}

function encodePath(object: string): string {
  return object.split('/').map(encode).join('/')
}

/** As RFC 3986 has it: `encodeURIComponent` leaves five characters more as they are. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
