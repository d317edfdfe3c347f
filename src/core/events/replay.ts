// Which events a replay is about.
import { type StoredEvent, understandEvent } from './snapshot-event.ts'

/** Of all that is kept; each null narrows nothing. */
export type ReplaySelection = {
  /** Received then or later, epoch ms. */
  readonly since: number | null
  /** Received before then, epoch ms. */
  readonly until: number | null
  readonly domain: string | null
  /** `app/stream`, or the stream of any app. */
  readonly stream: string | null
}

export function isSelected(event: StoredEvent, selection: ReplaySelection): boolean {
  const { since, until, domain, stream } = selection
  if (since !== null && event.receivedAt < since) return false
  if (until !== null && event.receivedAt >= until) return false
  if (domain !== null && event.domain !== domain) return false
  return stream === null || isOfStream(event, stream)
}

function isOfStream(event: StoredEvent, wanted: string): boolean {
  const { app, stream } = understandEvent(event)
  return stream !== null && (wanted === stream || wanted === `${app ?? ''}/${stream}`)
}
