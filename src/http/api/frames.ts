// Server-Sent Events as text: https://html.spec.whatwg.org/multipage/server-sent-events.html. JSON
// holds no raw line break, so an event is one line of data.
import { type StoredEvent, toCloudEvent } from '../../core/events/snapshot-event.ts'

/** How long a browser waits before it connects again, in ms. */
export const RETRY_FRAME = 'retry: 2000\n\n'

/** An event of the log; its id is what to resume from. */
export function eventFrame(event: StoredEvent): string {
  return `id: ${event.seq}\nevent: snapshot\ndata: ${JSON.stringify(toCloudEvent(event))}\n\n`
}

/** Events that were asked for and are gone. */
export function gapFrame(from: number, to: number): string {
  return `id: ${to}\nevent: gap\ndata: ${JSON.stringify({ from, to })}\n\n`
}

/** Something to send, so that proxies keep the connection and a dead one shows. */
export function commentFrame(): string {
  return ': \n\n'
}

/** The same, with a new place to resume from; without data a browser shows no event. */
export function idFrame(seq: number): string {
  return `: \nid: ${seq}\n\n`
}
