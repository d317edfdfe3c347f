// `GET /v1/events/{id}/image`: leads to the picture of an event. The URL in the answer may be good for
// anybody for a while: it stands in no log, and only whoever asked keeps it.
import { z } from 'zod'
import type { PictureRefusal } from '../../core/events/picture.ts'
import { faultCode } from '../../errors.ts'
import type { Pictures } from '../../ports/pictures.ts'
import type { EventReading } from '../../ports/reading.ts'
import { problem } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { eventIdParameter, eventNotFound, findEvent } from './events.ts'
import type { KnownSeqs } from './known-seqs.ts'
import { wholeNumber } from './query.ts'

/** OSS scales to no more. */
const MAX_WIDTH = 16_384
/** Shorter than a signed URL is valid, so that a cached redirect never leads to one that has ended. */
const CACHE_SECONDS = 300

const STATUSES: Readonly<Record<PictureRefusal, number>> = {
  images_off: 404,
  no_picture: 404,
  bucket_not_listed: 403,
  endpoint_not_allowed: 403,
  object_not_allowed: 403,
}

/** The endpoint of the picture of an event. */
export function imageEndpoint(deps: {
  events: EventReading
  known: KnownSeqs
  pictures: Pictures
}): Endpoint {
  return endpoint(
    {
      path: '/v1/events/{id}/image',
      summary: 'The picture of an event',
      inPath: { id: eventIdParameter },
      query: z.object({
        width: wholeNumber(1, MAX_WIDTH).optional().describe('in pixels; as it is if not given'),
      }),
      answer: {
        status: 302,
        description: 'Where the picture is; a signed URL is good for 10 minutes',
        headers: { Location: 'the URL of the picture' },
      },
      problems: {
        403: 'What the body names is not on the list, or no token is configured',
        404: 'No such event, no picture, or pictures are off',
      },
    },
    async ({ width = null }, c) => {
      const event = await findEvent(deps, c.req.param('id') ?? '')
      if (event === null) return eventNotFound()
      const picture = await deps.pictures.find(event, width).catch((error: unknown) => {
        if (faultCode(error) === 'api_credentials') return undefined
        throw error
      })
      if (picture === undefined) {
        return problem({
          status: 503,
          code: 'credentials_missing',
          detail:
            'There are no Alibaba Cloud credentials to sign the URL with: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or give the machine or pod a RAM role.',
        })
      }
      if (picture.kind === 'refused') {
        const { code, detail } = picture
        return problem({ status: STATUSES[code], code, detail })
      }
      return new Response(null, {
        status: 302,
        headers: {
          Location: picture.url,
          'Cache-Control': `private, max-age=${CACHE_SECONDS}`,
          'Referrer-Policy': 'no-referrer',
          Vary: 'Cookie, Authorization',
        },
      })
    },
  )
}
