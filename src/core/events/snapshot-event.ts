// The event that we keep: its identity, by which duplicates are known, and its CloudEvents form.
import { hash } from 'node:crypto'
import { decodeUtf8, type Understood, understand } from './callback.ts'

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

/** What the body of an event says. What the provider lists may be of any age. */
export function understandEvent({ body, domain, receivedAt, origin }: NewEvent): Understood {
  return understand(body, domain, receivedAt, origin === 'audit' ? Infinity : undefined)
}

/**
 * Names one delivery of an event, the same however often that is tried: for receivers that drop what
 * they have had. A replay is not dropped.
 */
export function deliveryId({ id, replay }: Pick<StoredEvent, 'id' | 'replay'>): string {
  return replay === undefined ? id : `${id}-replay-${replay}`
}

/** The CloudEvents 1.0 form of a stored event. */
export function toCloudEvent(event: StoredEvent): SnapshotCloudEvent {
  const { capturedAt, flags, ...where } = understandEvent(event)
  const text = decodeUtf8(event.body)
  const subject =
    where.app !== null && where.stream !== null ? { subject: `${where.app}/${where.stream}` } : {}
  return {
    specversion: '1.0',
    id: event.id,
    source: `acs:live:${event.domain}`,
    type: EVENT_TYPE,
    ...subject,
    time: new Date(capturedAt ?? event.receivedAt).toISOString(),
    ...(event.replay === undefined ? {} : { replay: event.replay }),
    datacontenttype: 'application/json',
    data: {
      domain: event.domain,
      ...where,
      capturedAt: capturedAt === null ? null : new Date(capturedAt).toISOString(),
      receivedAt: new Date(event.receivedAt).toISOString(),
      origin: event.origin,
      seq: event.seq,
      flags,
      ...(text === undefined
        ? { rawBase64: Buffer.from(event.body).toString('base64') }
        : { raw: text }),
    },
  }
}
