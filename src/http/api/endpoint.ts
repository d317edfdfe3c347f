// One operation of the API: what it is, which parameters it takes, what it answers. Requests are
// checked by the same schema that the OpenAPI document shows.
import type { Context } from 'hono'
import { z } from 'zod'
import type { Env } from '../env.ts'
import { problem } from '../problem.ts'
import { readQuery } from './query.ts'

export type Operation<T extends z.ZodObject = z.ZodObject> = {
  /** As OpenAPI writes it: `/v1/events/{id}`. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly query: T
  /** What stands in the path, by name. */
  readonly inPath?: Readonly<Record<string, z.ZodType>>
  readonly answer: {
    readonly status: 200 | 302
    readonly description: string
    readonly contentType?: string
    readonly form?: z.ZodType
    readonly headers?: Readonly<Record<string, string>>
  }
  /** Statuses of its own problems; 400, 401 and 403 all have. */
  readonly problems?: Readonly<Record<number, string>>
}

export type Endpoint = {
  readonly operation: Operation
  readonly handle: (c: Context<Env>) => Response | Promise<Response>
}

/** For operations that take none. */
export const NO_PARAMETERS = z.object({})

/** An endpoint that answers checked requests only. */
export function endpoint<T extends z.ZodObject>(
  operation: Operation<T>,
  answer: (query: z.output<T>, c: Context<Env>) => Response | Promise<Response>,
): Endpoint {
  return {
    operation,
    handle(c) {
      const query = readQuery(operation.query, new URL(c.req.url).searchParams)
      return query.ok ? answer(query.value, c) : invalid(query.problems)
    },
  }
}

/** The answer to parameters that are not right, all of them named. */
export function invalid(
  parameters: readonly { readonly parameter: string; readonly detail: string }[],
): Response {
  const detail = parameters.map((each) => `${each.parameter} ${each.detail}`).join('; ')
  return problem({ status: 400, code: 'invalid_parameters', detail: `${detail}.`, parameters })
}

/** A JSON answer that nobody keeps. */
export function json(body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return written(JSON.stringify(body), headers)
}

/** The same, of what is JSON already. */
export function written(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
): Response {
  return new Response(body, {
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
  })
}
