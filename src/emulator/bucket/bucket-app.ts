// The snapshots over HTTP, as the storage bucket would serve them.
import { Hono } from 'hono'
import type { Archive } from '../streams/archive.ts'

/** `GET /buckets/<bucket>/<object>`: the JPEG, while it is among the last few of its stream. */
export function createBucketApp(archive: Archive) {
  return new Hono().get('/buckets/:bucket/:object{.+}', (c) => {
    const { bucket, object } = c.req.param()
    const jpeg = archive.picture(bucket, object)
    if (!jpeg) return c.text('NoSuchKey', 404)
    return c.body(new Uint8Array(jpeg), 200, { 'Content-Type': 'image/jpeg' })
  })
}
