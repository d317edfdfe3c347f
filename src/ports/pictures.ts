// Pictures of events, wherever they are kept. Types only.
import type { PictureRefusal } from '../core/events/picture.ts'
import type { StoredEvent } from '../core/events/snapshot-event.ts'

export type Picture =
  /** Treat it as a secret: whoever has it sees the picture, for a while. */
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'refused'; readonly code: PictureRefusal; readonly detail: string }

export interface Pictures {
  /** `width` in pixels, or null for as it is. Rejects with `api_credentials` where there are none. */
  find(event: StoredEvent, width: number | null): Promise<Picture>
}
