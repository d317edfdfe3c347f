// Verifies URLs that carry their own signature, version 4, as OSS does; computed here, on its own:
// https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

const ALGORITHM = 'OSS4-HMAC-SHA256'
const MAX_EXPIRES_SECONDS = 7 * 86_400
/** OSS takes a date that is ahead by no more. */
const MAX_AHEAD_MS = 15 * 60_000

export type SignedRequest = {
  readonly method: string
  readonly bucket: string
  readonly object: string
  /** The query as it was sent, without the question mark. */
  readonly rawQuery: string
}

/** The code of OSS for what is wrong with a request, or null. */
export function urlSignatureProblem(
  { method, bucket, object, rawQuery }: SignedRequest,
  { accessKeyId, accessKeySecret }: { accessKeyId: string; accessKeySecret: string },
  now: number,
): string | null {
  const parameters = rawQuery.split('&').filter((pair) => pair !== '')
  const given = new Map(
    parameters.map((pair) => {
      const at = pair.indexOf('=')
      return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
  const value = (name: string) => decodeURIComponent(given.get(name) ?? '')
  if (value('x-oss-signature-version') !== ALGORITHM) return 'AccessDenied'
  const [id, day, region, product, terminator] = value('x-oss-credential').split('/')
  if (id !== accessKeyId) return 'InvalidAccessKeyId'
  if (product !== 'oss' || terminator !== 'aliyun_v4_request') return 'InvalidArgument'
  const date = value('x-oss-date')
  const expires = Number(value('x-oss-expires'))
  const signedAt = epochOf(date)
  if (signedAt === undefined || !date.startsWith(day ?? '-')) return 'InvalidArgument'
  if (!(expires >= 1 && expires <= MAX_EXPIRES_SECONDS)) return 'InvalidArgument'
  if (signedAt > now + MAX_AHEAD_MS) return 'RequestTimeTooSkewed'
  if (now > signedAt + expires * 1_000) return 'AccessDenied'

  const canonicalQuery = parameters
    .filter((pair) => !pair.startsWith('x-oss-signature='))
    .map((pair) => (pair.endsWith('=') ? pair.slice(0, -1) : pair))
    .sort((a, b) => ((a.split('=')[0] ?? '') < (b.split('=')[0] ?? '') ? -1 : 1))
    .join('&')
  const resource = `/${bucket}/${object}`
    .split('/')
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, percent))
    .join('/')
  const lines = [method, resource, canonicalQuery, '', '', 'UNSIGNED-PAYLOAD']
  const hashed = createHash('sha256').update(lines.join('\n')).digest('hex')
  const toSign = `${ALGORITHM}\n${date}\n${day}/${region}/oss/aliyun_v4_request\n${hashed}`
  let key: Buffer = createHmac('sha256', `aliyun_v4${accessKeySecret}`)
    .update(day ?? '')
    .digest()
  for (const part of [region ?? '', 'oss', 'aliyun_v4_request']) {
    key = createHmac('sha256', key).update(part).digest()
  }
  const expected = createHmac('sha256', key).update(toSign).digest()
  const sent = Buffer.from(value('x-oss-signature'), 'hex')
  const isRight = sent.length === expected.length && timingSafeEqual(sent, expected)
  return isRight ? null : 'SignatureDoesNotMatch'
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`
}

/** `20260131T080000Z` in epoch ms. */
function epochOf(date: string): number | undefined {
  if (!/^\d{8}T\d{6}Z$/.test(date)) return undefined
  const iso = date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const time = Date.parse(iso)
  return Number.isNaN(time) ? undefined : time
}
