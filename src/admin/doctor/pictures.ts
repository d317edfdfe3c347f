// Whether a bucket that `SNAPHOOK_IMAGES` names can be read: the latest picture that it is said to hold
// is asked for with a URL that we sign, as the wall does.
import type { ImageSource } from '../../core/events/picture.ts'
import type { StoredEvent } from '../../core/events/snapshot-event.ts'
import { describeError } from '../../errors.ts'
import type { Pictures } from '../../ports/pictures.ts'
import { type Finding, findingsOf } from './finding.ts'

const TIMEOUT_MS = 5_000
const { ok, problem, warning, notChecked } = findingsOf('pictures')

export async function checkPictures(
  images: ImageSource,
  deps: {
    pictures: Pictures
    /** The event of the latest shot in a bucket, if the store knows one. */
    latestIn(bucket: string): Promise<StoredEvent | null>
    fetch: typeof globalThis.fetch
    signal: AbortSignal
  },
): Promise<Finding[]> {
  if (images.kind !== 'oss') return []
  return Promise.all(images.buckets.map((bucket) => checkBucket(bucket, deps)))
}

async function checkBucket(
  bucket: string,
  { pictures, latestIn, fetch, signal }: Parameters<typeof checkPictures>[1],
): Promise<Finding> {
  try {
    const event = await latestIn(bucket)
    if (event === null) return notChecked(bucket, 'no event has named a picture in it yet', null)
    const picture = await pictures.find(event, null)
    if (picture.kind === 'refused') return notChecked(bucket, picture.detail, null)
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const response = await fetch(picture.url, { signal: inTime, redirect: 'manual' })
    await response.body?.cancel()
    if (response.ok) return ok(bucket, 'its pictures can be read')
    if (response.status === 404) return ok(bucket, 'can be read; its latest picture is gone by now')
    if (response.status !== 403) {
      return warning(bucket, `answered ${response.status}`, 'try again, and look at the bucket')
    }
    return problem(
      bucket,
      'may not be read with our credentials',
      'attach deploy/ram-policy-images.json with the name of this bucket',
    )
  } catch (error) {
    // The URL is signed: it stands in no finding, and no error of fetch holds it.
    return notChecked(bucket, reasonOf(error), null)
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined
  if (typeof cause?.code === 'string') return `could not be reached (${cause.code})`
  return error instanceof TypeError ? 'could not be reached' : describeError(error)
}
