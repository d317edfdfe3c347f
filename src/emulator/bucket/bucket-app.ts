// The snapshots over HTTP, as the storage bucket would serve them: to a URL that carries a signature of
// the emulator's own access key, and to anybody only where it is told so. `x-oss-process` is verified
// and not obeyed: the pictures are small.
import { type Context, Hono } from 'hono'
import type { Archive } from '../streams/archive.ts'
import { urlSignatureProblem } from './url-signature.ts'

/** As the bucket is asked for by its own host; any region will do. */
const BUCKET_HOST = /^([a-z0-9][a-z0-9-]+)\.oss-[a-z0-9-]+\.aliyuncs\.com(?::\d+)?$/

/** `GET /buckets/<bucket>/<object>`, or `GET /<object>` where Host names the bucket. */
export function createBucketApp(
  archive: Archive,
  options: {
    accessKeyId: string
    accessKeySecret: string
    /** Hands out every picture to anybody. */
    open: boolean
    now: () => number
  },
) {
  const app = new Hono()

  app.use('*', async (c, next) => {
    const bucket = BUCKET_HOST.exec(c.req.header('host') ?? '')?.[1]
    if (bucket === undefined || c.req.method !== 'GET') return next()
    return answer(c, bucket, decodeURIComponent(new URL(c.req.url).pathname.slice(1)))
  })
  app.get('/buckets/:bucket/:object{.+}', (c) => {
    const { bucket, object } = c.req.param()
    return answer(c, bucket, object)
  })

  function answer(c: Context, bucket: string, object: string): Response {
    const { method, url } = c.req
    const at = url.indexOf('?')
    const rawQuery = at === -1 ? '' : url.slice(at + 1)
    const problem = options.open
      ? null
      : urlSignatureProblem({ method, bucket, object, rawQuery }, options, options.now())
    if (problem !== null) return fault(403, problem)
    const jpeg = archive.picture(bucket, object)
    if (!jpeg) return fault(404, 'NoSuchKey')
    const headers = { 'Content-Type': 'image/jpeg', 'Cache-Control': 'no-cache' }
    return new Response(new Uint8Array(jpeg), { headers })
  }
  return app
}

function fault(status: number, code: string): Response {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>\n`
  return new Response(body, { status, headers: { 'Content-Type': 'application/xml' } })
}
