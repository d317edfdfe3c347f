// An event as text: the JSON of its CloudEvent, and as a Server-Sent Event
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). JSON holds no raw line break, so
// an event is one line of data.
import { type StoredEvent, toCloudEvent } from './snapshot-event.ts'

/** The CloudEvent as JSON, in one line. */
export function eventJson(event: StoredEvent): string {
  return JSON.stringify(toCloudEvent(event))
}

/** An event of the log as a live event; its id is what to resume from. */
export function eventFrame(event: StoredEvent): string {
  return `id: ${event.seq}\nevent: snapshot\ndata: ${eventJson(event)}\n\n`
}
