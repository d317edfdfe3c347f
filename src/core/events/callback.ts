// Reads the body of a callback. Its fields are not public (docs/provider.md#callback-body), so it
// is read tolerantly and the bytes are what counts: `understand` never throws and never refuses, it
// says what it found.

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Further from receipt than this, a capture time tells nothing of the shot: it is not used. */
const MAX_CAPTURE_DISTANCE_MS = 48 * 3_600_000
/** A Unix time above this is in milliseconds (1973 as milliseconds, the year 5138 as seconds). */
const MILLISECONDS_FROM = 1e11
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/

export const FLAGS = ['not_json', 'not_object', 'no_object', 'other_domain', 'bad_time'] as const
export type Flag = (typeof FLAGS)[number]

/** What can become of a callback. */
export const CALLBACK_OUTCOMES = [
  'accepted',
  'duplicate',
  'missing_header',
  'bad_timestamp',
  'stale',
  'future',
  'bad_signature',
  'no_key',
  'too_large',
  'method',
  'aborted',
  'overloaded',
  'store_failed',
  'unknown_domain',
] as const
export type CallbackOutcome = (typeof CALLBACK_OUTCOMES)[number]

/** What a body says, as far as it was understood. Absent is null; `capturedAt` is in epoch ms. */
export type Understood = {
  readonly app: string | null
  readonly stream: string | null
  readonly bucket: string | null
  readonly endpoint: string | null
  readonly object: string | null
  readonly capturedAt: number | null
  readonly flags: readonly Flag[]
}

const NOTHING = { app: null, stream: null, bucket: null, endpoint: null, object: null } as const

/** Names in order of preference, without case, `_` and `-`: one entry stands for all spellings. */
const NAMES = {
  domain: ['domainname', 'domain'],
  app: ['appname', 'app'],
  stream: ['streamname', 'stream'],
  bucket: ['ossbucket', 'bucket'],
  endpoint: ['ossendpoint', 'endpoint'],
  object: ['ossobject', 'object', 'uri'],
  time: ['createtimestamp', 'createtime', 'timestamp', 'time'],
} as const

/**
 * Reads a body received for `domain` at `receivedAt` (epoch ms). A capture time that is further from
 * that than `maxDistanceMs` is not used.
 */
export function understand(
  body: Uint8Array,
  domain: string,
  receivedAt: number,
  maxDistanceMs = MAX_CAPTURE_DISTANCE_MS,
): Understood {
  const text = decodeUtf8(body)
  const parsed = text === undefined ? undefined : parseJson(text)
  if (parsed === undefined) return { ...NOTHING, capturedAt: null, flags: ['not_json'] }
  if (typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value)) {
    return { ...NOTHING, capturedAt: null, flags: ['not_object'] }
  }
  const found = fieldsOf(parsed.value)
  const object = firstOf(found, PLACES.object, asText)
  const named = firstOf(found, PLACES.domain, asText)
  const capturedAt = firstOf(found, PLACES.time, (value) => {
    const time = asEpochMs(value)
    return time !== null && Math.abs(time - receivedAt) <= maxDistanceMs ? time : null
  })
  const flags: Flag[] = []
  if (object === null) flags.push('no_object')
  if (named !== null && named.toLowerCase() !== domain) flags.push('other_domain')
  if (capturedAt === null && PLACES.time.some((place) => place in found)) flags.push('bad_time')
  return {
    app: firstOf(found, PLACES.app, asText),
    stream: firstOf(found, PLACES.stream, asText),
    bucket: firstOf(found, PLACES.bucket, asText),
    endpoint: firstOf(found, PLACES.endpoint, asText),
    object,
    capturedAt,
    flags,
  }
}

/** Where a field of a plain name is put; all that are known, in a row. */
const PLACE_OF = new Map(
  Object.values(NAMES)
    .flat()
    .map((name, place) => [name as string, place]),
)
const placesOf = (names: readonly string[]) => names.map((name) => PLACE_OF.get(name) as number)
const PLACES = {
  domain: placesOf(NAMES.domain),
  app: placesOf(NAMES.app),
  stream: placesOf(NAMES.stream),
  bucket: placesOf(NAMES.bucket),
  endpoint: placesOf(NAMES.endpoint),
  object: placesOf(NAMES.object),
  time: placesOf(NAMES.time),
} as const

/** The fields that are known, by their places. */
function fieldsOf(body: object): unknown[] {
  const found: unknown[] = []
  for (const [name, value] of Object.entries(body)) {
    const place = placeOf(name)
    if (place !== undefined) found[place] = value
  }
  return found
}

/** Places of names as they are spelled, as far as they have come: the same few come each time. */
const places = new Map<string, number | undefined>()
/** Bodies are not signed: whoever makes names up must not fill the memory. */
const MAX_SPELLINGS = 256
const MAX_NAME_LENGTH = 64

function placeOf(name: string): number | undefined {
  const known = places.get(name)
  if (known !== undefined || places.has(name)) return known
  const place = PLACE_OF.get(name.toLowerCase().replaceAll(/[_-]/g, ''))
  if (places.size < MAX_SPELLINGS && name.length <= MAX_NAME_LENGTH) places.set(name, place)
  return place
}

/** The text of UTF-8 bytes, or undefined where they are not UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) }
  } catch {
    return undefined
  }
}

function firstOf<T>(
  found: readonly unknown[],
  places: readonly number[],
  read: (value: unknown) => T | null,
): T | null {
  for (const place of places) {
    const value = read(found[place])
    if (value !== null) return value
  }
  return null
}

function asText(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value
  // Beyond 2^53 the digits have already been lost: better unknown than another stream's name.
  return Number.isSafeInteger(value) ? String(value) : null
}

function asEpochMs(value: unknown): number | null {
  if (typeof value === 'string') {
    if (ISO_TIME.test(value)) return Date.parse(value)
    return /^\d+(\.\d+)?$/.test(value) ? asEpochMs(Number(value)) : null
  }
  if (typeof value !== 'number') return null
  return Math.trunc(value >= MILLISECONDS_FROM ? value : value * 1000)
}
