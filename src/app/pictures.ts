// Pictures, put together: who signs for them, and which origins a page may load them from.
import { createCredentials } from '../cloud/credentials.ts'
import { createPictures } from '../cloud/pictures/pictures.ts'
import type { Config } from '../config/config.ts'
import { pictureOrigins } from '../core/events/picture.ts'
import type { Pictures } from '../ports/pictures.ts'
import type { Streams } from '../ports/reading.ts'
import { type Overrides, withDefaults } from './overrides.ts'

/** Streams that are asked which endpoint a bucket has; the most recent tell. */
const LOOKED_AT = 1_000

export function openPictures({ images }: Config, overrides: Overrides): Pictures {
  const { clock, credentials = createCredentials() } = withDefaults(overrides)
  return createPictures({ source: images, credentials, now: clock.now })
}

/** The origins that pictures come from, as far as streams have named them by `now` (epoch ms). */
export async function picturesFrom(
  { images }: Config,
  streams: Pick<Streams, 'findStreams'>,
  now: number,
): Promise<string[]> {
  if (images.kind !== 'oss') return pictureOrigins(images, [])
  const all = { domain: null, app: null, state: null, q: null, after: null, now }
  const seen = await streams
    .findStreams({ ...all, order: 'recent', limit: LOOKED_AT })
    .then(({ streams: found }) => found.map(({ latest }) => latest))
    // A store that fails must not take the page along, which says so.
    .catch(() => [])
  return pictureOrigins(images, seen)
}
