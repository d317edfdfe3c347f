// The event that we keep: its identity, by which duplicates are known, and its CloudEvents form.
import { hash } from 'node:crypto'
import { decodeUtf8, type Understood, understand } from './callback.ts'
import { allowedText, isAllowedText } from './text.ts'

const EVENT_TYPE = 'com.aliyun.live.snapshot'

/** How an event came to us: called back, or found in the provider's list. */
export const ORIGINS = ['callback', 'audit'] as const
export type Origin = (typeof ORIGINS)[number]

/** An event as the log keeps it: the bytes, and what the bytes do not say. Times are epoch ms. */
export type NewEvent = {
  /** The event's identity: 64 hex digits. */
  readonly id: string
  readonly domain: string
  readonly origin: Origin
  readonly receivedAt: number
  /** The capture time, else the signed time: near for neighbours, equal for duplicates. */
  readonly occurredAt: number
  readonly body: Uint8Array
}

export type StoredEvent = NewEvent & {
  readonly seq: number
  /** The number of the replay that delivers it again; absent where it is delivered for the first time. */
  readonly replay?: number
}

export type SnapshotCloudEvent = {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: typeof EVENT_TYPE
  readonly subject?: string
  readonly time: string
  /** An extension attribute: this was delivered before, and is delivered again as it was asked for. */
  readonly replay?: number
  readonly datacontenttype: 'application/json'
  readonly data: {
    readonly domain: string
    readonly app: string | null
    readonly stream: string | null
    readonly bucket: string | null
    readonly endpoint: string | null
    readonly object: string | null
    readonly capturedAt: string | null
    readonly receivedAt: string
    readonly origin: Origin
    readonly seq: number
    readonly flags: readonly string[]
    readonly raw?: string
    readonly rawBase64?: string
  }
}

/**
 * The event of a callback that was received at `receivedAt` (epoch ms) and signed at `timestamp`
 * (Unix seconds, as it was sent). Where the body shows no usable capture time the signed time is
 * part of the identity: in overwrite mode every shot may have the very same body.
 */
export function eventOf(
  callback: { domain: string; timestamp: string; body: Uint8Array; receivedAt: number },
  understood: Understood,
): NewEvent {
  const { domain, timestamp, body, receivedAt } = callback
  const signedAt = understood.capturedAt === null ? timestamp : null
  return {
    id: eventId({ domain, body, signedAt }),
    domain,
    origin: 'callback',
    receivedAt,
    occurredAt: understood.capturedAt ?? Number(timestamp) * 1000,
    body,
  }
}

/** The identity of an event; `signedAt` only where the body shows no usable capture time. */
export function eventId(event: {
  domain: string
  body: Uint8Array
  signedAt: string | null
}): string {
  const { domain, body, signedAt } = event
  return hash('sha256', Buffer.concat([Buffer.from(`${domain}\n${signedAt ?? ''}\n`), body]))
}

/** Bodies that were read last, by eight bits of a hash: more than a batch, and no more than some MiB. */
const READINGS = 256
const GOLDEN = 0x9e37_79b1
type Reading = Pick<NewEvent, 'body' | 'domain' | 'receivedAt' | 'origin'> & {
  readonly understood: Understood
}
/** A body is read once for all sinks that keep up. A `WeakMap` would cost more than it saves. */
const readings: (Reading | undefined)[] = Array(READINGS).fill(undefined)

/**
 * What the body of an event says, for one who asks once: nothing is kept of it, since a small body may be
 * a view of a large buffer. What the provider lists may be of any age.
 */
export function readEvent(event: Omit<Reading, 'understood'>): Understood {
  const { body, domain, receivedAt, origin } = event
  return understand(body, domain, receivedAt, origin === 'audit' ? Infinity : undefined)
}

/** The same for those who ask again: the last ones are kept. */
export function understandEvent(event: Omit<Reading, 'understood'>): Understood {
  const { body, domain, receivedAt, origin } = event
  // Neighbours of one read lie behind one another in one buffer.
  const place = Math.imul(body.byteOffset + body.byteLength, GOLDEN) >>> 24
  const known = readings[place]
  const isSame = known?.body === body && known.domain === domain && known.receivedAt === receivedAt
  if (known !== undefined && isSame && known.origin === origin) return known.understood
  const understood = readEvent(event)
  readings[place] = { body, domain, receivedAt, origin, understood }
  return understood
}

/**
 * Names one delivery of an event, the same however often that is tried: for receivers that drop what
 * they have had. A replay is not dropped.
 */
export function deliveryId({ id, replay }: Pick<StoredEvent, 'id' | 'replay'>): string {
  return replay === undefined ? id : `${id}-replay-${replay}`
}

/** Made member by member: a spread for each that may be absent costs more than all the rest. */
type Making<T> = { -readonly [K in keyof T]: T[K] }
type Data = SnapshotCloudEvent['data']

/** The CloudEvents 1.0 form of a stored event: valid, whatever its body held. */
export function toCloudEvent(event: StoredEvent): SnapshotCloudEvent {
  const { app, stream, capturedAt } = understandEvent(event)
  const time = isoTime(capturedAt) ?? isoText(event.receivedAt)
  const { id, domain, replay } = event
  const made = {
    specversion: '1.0',
    id,
    source: `acs:live:${domain}`,
    type: EVENT_TYPE,
  } as Making<SnapshotCloudEvent>
  const subject = `${app}/${stream}`
  // Absent unless both are known, and hold nothing that an attribute may not.
  if (app !== null && stream !== null && isAllowedText(subject)) made.subject = subject
  made.time = time
  if (replay !== undefined) made.replay = replay
  made.datacontenttype = 'application/json'
  made.data = dataOf(event)
  return made
}

function dataOf(event: StoredEvent): Data {
  const { app, stream, bucket, endpoint, object, capturedAt, flags } = understandEvent(event)
  const { domain, receivedAt, origin, seq, body } = event
  const data: Making<Data> = {
    domain,
    app: allowed(app),
    stream: allowed(stream),
    bucket: allowed(bucket),
    endpoint: allowed(endpoint),
    object: allowed(object),
    capturedAt: isoTime(capturedAt),
    receivedAt: isoText(receivedAt),
    origin,
    seq,
    flags,
  }
  const text = decodeUtf8(body)
  if (text === undefined) data.rawBase64 = Buffer.from(body).toString('base64')
  else data.raw = text
  return data
}

function allowed(name: string | null): string | null {
  return name === null ? null : allowedText(name)
}

/** The last moment that RFC 3339 has a form for. */
const YEAR_9999_ENDS = Date.UTC(10_000, 0) - 1

/** Null for a moment that has no form: what is listed may claim any. */
function isoTime(ms: number | null): string | null {
  return ms === null || ms < 0 || ms > YEAR_9999_ENDS ? null : isoText(ms)
}

/** The last seconds that were written: neighbours are of the same few. */
const SECONDS = 16
const seconds: (readonly [second: number, text: string] | undefined)[] =
  Array(SECONDS).fill(undefined)

/** As `toISOString` has it, in a tenth of the time. */
function isoText(ms: number): string {
  const second = Math.floor(ms / 1_000)
  let known = seconds[second % SECONDS]
  if (known?.[0] !== second) {
    known = [second, new Date(second * 1_000).toISOString().slice(0, -'000Z'.length)]
    seconds[second % SECONDS] = known
  }
  return `${known[1]}${String(ms - second * 1_000).padStart(3, '0')}Z`
}
