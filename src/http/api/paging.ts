// What lists have in common: they answer in pages, and each begins behind the `next` of another.
import type { Context } from 'hono'
import { z } from 'zod'
import type { Env } from '../env.ts'
import { invalid } from './endpoint.ts'

export const afterParameter = z
  .string()
  .optional()
  .describe('the `next` of another page, in the same order')

/** The answer of a list, in the API's description of itself. */
export function pageAnswer(description: string, form: z.ZodType) {
  return {
    status: 200,
    description,
    contentType: 'application/json',
    form,
    headers: { Link: 'the next page, with rel="next"' },
  } as const
}

/** Of a cursor that is none, or was made in another order. */
export function cursorRefused(): Response {
  const detail = 'must be the `next` of a page in the same order'
  return invalid([{ parameter: 'after', detail }])
}

/** `Link` to the next page: the same request behind a cursor. */
export function nextLink(c: Context<Env>, cursor: string | null): Record<string, string> {
  if (cursor === null) return {}
  const { pathname, searchParams } = new URL(c.req.url)
  searchParams.set('after', cursor)
  return { Link: `<${pathname}?${searchParams}>; rel="next"` }
}
