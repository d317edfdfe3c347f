// What is wrong with a request, as RFC 9457 has it: a stable code, and a sentence on what to do.

export const PROBLEM_TYPE = 'application/problem+json'

export type ProblemCode =
  | 'invalid_parameters'
  | 'unauthorized'
  | 'forbidden'
  | 'other_origin'
  | 'sign_in_not_configured'
  | 'invalid_token'
  | 'not_found'
  | 'method_not_allowed'
  | 'event_not_found'
  | 'too_many_readers'
  | 'store_unavailable'
  | 'images_off'
  | 'no_picture'
  | 'bucket_not_listed'
  | 'endpoint_not_allowed'
  | 'object_not_allowed'
  | 'credentials_missing'
  | 'internal_error'

const TITLES: Readonly<Record<ProblemCode, string>> = {
  invalid_parameters: 'Invalid parameters',
  unauthorized: 'Not signed in',
  forbidden: 'Open to this machine only',
  other_origin: 'Request from another origin',
  sign_in_not_configured: 'Signing in is not configured',
  invalid_token: 'Token not accepted',
  not_found: 'Nothing here',
  method_not_allowed: 'Method not allowed',
  event_not_found: 'No such event',
  too_many_readers: 'Too many readers',
  store_unavailable: 'The store does not answer',
  images_off: 'Pictures are off',
  no_picture: 'The event names no picture',
  bucket_not_listed: 'Bucket not listed',
  endpoint_not_allowed: 'Endpoint not allowed',
  object_not_allowed: 'Object name not allowed',
  credentials_missing: 'No credentials',
  internal_error: 'Internal error',
}

export type ParameterProblem = { readonly parameter: string; readonly detail: string }

export type Problem = {
  readonly status: number
  readonly code: ProblemCode
  /** What to do. */
  readonly detail: string
  readonly parameters?: readonly ParameterProblem[]
  readonly headers?: Readonly<Record<string, string>>
}

/** The answer where nothing is. */
export function nothingHere(): Response {
  return problem({
    status: 404,
    code: 'not_found',
    detail: 'There is nothing at this path: /v1/openapi.json describes the API, / is the wall.',
  })
}

/** The answer to a request that can't be met. */
export function problem({ status, code, detail, parameters, headers }: Problem): Response {
  const body = {
    type: `urn:snaphook:problem:${code}`,
    title: TITLES[code],
    status,
    code,
    detail,
    ...(parameters && { parameters }),
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': PROBLEM_TYPE, 'Cache-Control': 'no-store', ...headers },
  })
}
