// The event of a shot that no callback brought. Its body is the listed item with the names of the
// stream, in a fixed order: so every replica, and every try, makes the same event of the same shot.
import { eventId, type NewEvent } from '../events/snapshot-event.ts'
import type { Shot, StreamName } from './shots.ts'

/** The event of a shot, found at `receivedAt` (epoch ms). */
export function filledEvent(
  domain: string,
  { app, stream }: StreamName,
  { entries: [entry] }: Shot,
  receivedAt: number,
): NewEvent {
  const item = {
    DomainName: domain,
    AppName: app,
    StreamName: stream,
    OssEndpoint: entry.endpoint ?? undefined,
    OssBucket: entry.bucket ?? undefined,
    OssObject: entry.object ?? undefined,
    CreateTime: entry.createTime ?? undefined,
    CreateTimestamp: entry.createTimestamp ?? undefined,
    IsOverlay: entry.isOverlay,
  }
  const body = Buffer.from(JSON.stringify(item))
  return {
    id: eventId({ domain, body, signedAt: null }),
    domain,
    origin: 'audit',
    receivedAt,
    occurredAt: entry.at,
    body,
  }
}
