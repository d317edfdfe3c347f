// Where the picture of an event is, and whether we may lead there. A body is not signed: what it
// names is not trusted, so only buckets and endpoints of the settings' kind are taken.
import type { Understood } from './callback.ts'

/** Where pictures come from: `SNAPHOOK_IMAGES`. */
export type ImageSource =
  | { readonly kind: 'off' }
  /** Signed URLs for these buckets. */
  | { readonly kind: 'oss'; readonly buckets: readonly string[] }
  /** A URL with `{bucket}`, `{object}`, `{endpoint}`, `{width}`, for a CDN. */
  | { readonly kind: 'template'; readonly template: string }

export type PictureRefusal =
  | 'images_off'
  | 'no_picture'
  | 'bucket_not_listed'
  | 'endpoint_not_allowed'
  | 'object_not_allowed'

/** An object of OSS that is to be signed for. */
export type PictureObject = {
  readonly kind: 'object'
  readonly bucket: string
  readonly region: string
  readonly host: string
  readonly object: string
  readonly query: Readonly<Record<string, string>>
}

export type Located =
  | PictureObject
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'refused'; readonly code: PictureRefusal; readonly detail: string }

/** Names of buckets: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions */
export const BUCKET_NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/
/** A region is two letters and more, so that this is no accelerated or other endpoint. */
const ENDPOINT = /^oss-([a-z]{2}(?:-[a-z0-9]+)+?)(?:-internal)?\.aliyuncs\.com$/
/** In bytes; OSS takes no longer ones. */
const MAX_OBJECT_BYTES = 1_023
const UNFIT_OBJECT = /[\p{Cc}\p{Cs}]|^[/\\]/u
/** A URL parser would walk up over these. */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/
/** For `{width}` where nobody asked for one. */
const TEMPLATE_WIDTH = 640

/** In a header, in bytes. */
const MAX_ORIGINS_LENGTH = 3_000

/** Public regions of OSS: where a listed bucket can be until an event has said where it is. */
const REGIONS = [
  ...['hangzhou', 'shanghai', 'nanjing', 'fuzhou', 'wuhan-lr', 'qingdao', 'beijing'],
  ...['zhangjiakou', 'huhehaote', 'wulanchabu', 'shenzhen', 'heyuan', 'guangzhou', 'chengdu'],
  'hongkong',
]
  .map((city) => `cn-${city}`)
  .concat(['us-west-1', 'us-east-1', 'na-south-1', 'eu-central-1', 'eu-west-1'])
  .concat(['me-east-1', 'me-central-1', 'ap-northeast-1', 'ap-northeast-2'])
  .concat(['1', '3', '5', '6', '7'].map((n) => `ap-southeast-${n}`))

/** Where the picture of a body is; `seq` is of its event, `width` in pixels or null for as it is. */
export function locatePicture(
  source: ImageSource,
  body: Pick<Understood, 'bucket' | 'endpoint' | 'object'>,
  { seq, width }: { readonly seq: number; readonly width: number | null },
): Located {
  if (source.kind === 'off') {
    return refused('images_off', 'Set SNAPHOOK_IMAGES to oss:BUCKET, or to a URL template.')
  }
  const { bucket, endpoint, object } = body
  if (bucket === null || object === null) {
    return refused('no_picture', 'The body of this event names no bucket or no object.')
  }
  if (!isFitObject(object)) {
    return refused(
      'object_not_allowed',
      'The object has a name with control characters, with . or .. between slashes, or that is too long.',
    )
  }
  if (source.kind === 'template')
    return fromTemplate(source.template, { ...body, object, bucket, width })
  if (!source.buckets.includes(bucket)) {
    const detail =
      'The event names a bucket that SNAPHOOK_IMAGES does not list: add it if it is yours.'
    return refused('bucket_not_listed', detail)
  }
  const region = regionOf(endpoint)
  if (region === undefined) return endpointRefused()
  const host = `${bucket}.oss-${region}.aliyuncs.com`
  // OSS ignores a parameter that it does not know. In overwrite mode all shots have one object, and
  // no cache is to show the last one for this one.
  const query: Record<string, string> = { 'snaphook-seq': String(seq) }
  if (width !== null) query['x-oss-process'] = `image/resize,w_${width}`
  return { kind: 'object', bucket, region, host, object, query }
}

/** The origins that pictures can come from. `seen` are endpoints of buckets as events named them. */
export function pictureOrigins(
  source: ImageSource,
  seen: readonly { readonly bucket: string | null; readonly endpoint: string | null }[],
): string[] {
  if (source.kind === 'off') return []
  if (source.kind === 'template') return [new URL(withoutPlaces(source.template)).origin]
  const places = source.buckets.flatMap((bucket) => {
    const regions = seen
      .filter((each) => each.bucket === bucket)
      .flatMap(({ endpoint }) => regionOf(endpoint) ?? [])
    const possible = regions.length > 0 ? new Set(regions) : REGIONS
    return [...possible].map((region) => ({ bucket, region }))
  })
  // Of very many buckets only the regions; and a region that bodies make up is none.
  const exact = places.map(({ bucket, region }) => originOf(bucket, region))
  const regions = [...new Set(places.map(({ region }) => region))]
  const anyBucket = (named: readonly string[]) => named.map((region) => originOf('*', region))
  return [exact, anyBucket(regions)].find(isShort) ?? anyBucket(REGIONS)
}

function originOf(bucket: string, region: string): string {
  return `https://${bucket}.oss-${region}.aliyuncs.com`
}

/** Whether a header can name them all: proxies take 4 KiB of headers where nothing else is set. */
function isShort(origins: readonly string[]): boolean {
  return origins.join(' ').length <= MAX_ORIGINS_LENGTH
}

/** The region of an endpoint, or undefined if it is none of a region. */
export function regionOf(endpoint: string | null): string | undefined {
  return ENDPOINT.exec(endpoint ?? '')?.[1]
}

/** `SNAPHOOK_IMAGES`, or a sentence on what it must be. */
export function readImageSource(text: string): ImageSource | string {
  if (text === 'off') return { kind: 'off' }
  if (text.startsWith('oss:')) {
    const buckets = text
      .slice('oss:'.length)
      .split(',')
      .map((name) => name.trim())
    const wrong = buckets.find((name) => !BUCKET_NAME.test(name))
    if (wrong === undefined) return { kind: 'oss', buckets: [...new Set(buckets)] }
    return `holds "${wrong}", which is not the name of a bucket`
  }
  const url = URL.parse(withoutPlaces(text))
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return 'must be off, oss:BUCKET,BUCKET or a URL template such as https://cdn.example.com/{object}'
  }
  if (url.username !== '' || url.password !== '') return 'must not hold a login'
  if (!/^https?:\/\/[^\s{}/\\?#]+\//i.test(text)) {
    return 'must have a fixed host: what a body names must not choose it'
  }
  const unknown = /\{(?!(?:bucket|object|endpoint|width)\})[^}]*\}?/.exec(text)?.[0]
  if (unknown !== undefined)
    return `knows {bucket}, {object}, {endpoint} and {width}, not ${unknown}`
  if (!text.includes('{object}')) return 'must have {object} in its template'
  return { kind: 'template', template: text }
}

function fromTemplate(
  template: string,
  values: {
    readonly bucket: string
    readonly object: string
    readonly endpoint: string | null
    readonly width: number | null
  },
): Located {
  const { bucket, object, endpoint, width } = values
  if (template.includes('{endpoint}') && regionOf(endpoint) === undefined) return endpointRefused()
  if (template.includes('{bucket}') && !BUCKET_NAME.test(bucket)) {
    return refused('bucket_not_listed', 'The event names a bucket that can be none of OSS.')
  }
  const filled = {
    bucket,
    object,
    endpoint: endpoint ?? '',
    width: String(width ?? TEMPLATE_WIDTH),
  }
  // The setting holds no other names.
  const url = template.replaceAll(/\{(\w+)\}/g, (_, name: keyof typeof filled) =>
    encodeURIComponent(filled[name]),
  )
  return { kind: 'url', url: new URL(url).href }
}

function isFitObject(object: string): boolean {
  if (UNFIT_OBJECT.test(object) || DOTS.test(object)) return false
  return new TextEncoder().encode(object).byteLength <= MAX_OBJECT_BYTES
}

function withoutPlaces(template: string): string {
  return template.replaceAll(/\{\w+\}/g, 'x')
}

function endpointRefused(): Located {
  const detail = 'The event names an endpoint that is not oss-REGION.aliyuncs.com.'
  return refused('endpoint_not_allowed', detail)
}

function refused(code: PictureRefusal, detail: string): Located {
  return { kind: 'refused', code, detail }
}
