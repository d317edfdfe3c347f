// An app that is loaded with the first request for it: the schemas of the API are a sixth of what a start
// would load, and many services are never asked.
import { Hono } from 'hono'
import type { Env } from '../env.ts'

/** Stands at `path` for the app that `make` makes, once unless it fails. */
export function createLaterApp(path: string, make: () => Promise<Hono<Env>>): Hono<Env> {
  let made: Promise<Hono<Env>> | undefined
  return new Hono<Env>().all(path, async (c) => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    const app = await made
    return app.fetch(c.req.raw, c.env)
  })
}
