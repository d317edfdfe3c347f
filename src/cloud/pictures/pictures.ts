// Pictures of events: the URL of a template, or one that we sign with the service's credentials.

import { type ImageSource, locatePicture } from '../../core/events/picture.ts'
import { understandEvent } from '../../core/events/snapshot-event.ts'
import type { CredentialsProvider } from '../../ports/credentials.ts'
import type { Pictures } from '../../ports/pictures.ts'
import { presign } from './presign.ts'

/** Long enough for a page to load it, short enough for a URL that works for anybody. */
const EXPIRES_SECONDS = 600

/** `now` is in epoch ms. */
export function createPictures(deps: {
  source: ImageSource
  credentials: CredentialsProvider
  now(): number
}): Pictures {
  const { source, credentials, now } = deps
  return {
    async find(event, width) {
      const body = understandEvent(event)
      const located = locatePicture(source, body, { seq: event.seq, width })
      if (located.kind !== 'object') return located
      const { kind: _, ...object } = located
      const request = {
        ...object,
        method: 'GET',
        signedAt: now(),
        expiresSeconds: EXPIRES_SECONDS,
      } as const
      return { kind: 'url', url: presign(request, await credentials.getCredentials()) }
    },
  }
}
