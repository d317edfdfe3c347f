// What a shot shows, as far as streams show it. Pure.
import { type StoredEvent, understandEvent } from '../../../core/events/snapshot-event.ts'
import { fitName } from '../../../core/printable.ts'

/** No bucket, endpoint or object has a longer name. */
const MAX_LENGTH = 1_024

/** The names in an event, fit to be shown; too long ones are none. */
export function detailOf(event: StoredEvent) {
  const { bucket, endpoint, object, capturedAt } = understandEvent(event)
  return {
    bucket: shownName(bucket),
    endpoint: shownName(endpoint),
    object: shownName(object),
    capturedAt,
  }
}

function shownName(text: string | null): string | null {
  return text !== null && text.length <= MAX_LENGTH ? fitName(text) : null
}
