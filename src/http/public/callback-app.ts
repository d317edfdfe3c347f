// The app of the public listener: hands every request for `…/callbacks/<domain>` to the receiver
// and turns its outcome into an answer; answers probes; everything else is one 404. This is the hot
// path: one route, no middleware, and only what @hono/node-server serves without building a whole
// Request.
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { CallbackOutcome } from '../../core/events/callback.ts'
import type { Secret } from '../../core/keys/notify-key.ts'
import { isNonce, probeAnswers } from '../../core/probe.ts'
import { withOneSpelling } from '../../core/registration/notify-url.ts'
import { describeBug } from '../../errors.ts'
import {
  type CallbackRequest,
  MAX_BODY_BYTES,
  type Receiver,
} from '../../flows/receive/receiver.ts'
import type { Log } from '../../ports/log.ts'

const MARKER = '/callbacks/'
const PROBE = '/probe/'
/**
 * Seconds. The provider's own retries are 1 s apart (docs/provider.md#delivery); nothing asks it to
 * wait longer.
 */
const RETRY_AFTER = '1'

type Env = { Bindings: HttpBindings }
type Answer = { readonly body: string; readonly init: ResponseInit }

/** What a sibling callback of the provider asks for (docs/provider.md#delivery). */
const SUCCESS = answer(200, { Code: 0, Msg: 'Success' })
const UNAUTHORIZED = refusal(401, 'Unauthorized')
const NOT_FOUND = refusal(404, 'Not found')
const UNAVAILABLE = refusal(503, 'Unavailable', { 'Retry-After': RETRY_AFTER })
const BROKEN = refusal(500, 'Internal error')

/** What each outcome looks like on the wire: vague here, precise in the metric and the log. */
const ANSWERS: Readonly<Record<CallbackOutcome, Answer>> = {
  accepted: SUCCESS,
  duplicate: SUCCESS,
  missing_header: UNAUTHORIZED,
  bad_timestamp: UNAUTHORIZED,
  stale: UNAUTHORIZED,
  future: UNAUTHORIZED,
  bad_signature: UNAUTHORIZED,
  unknown_domain: NOT_FOUND,
  method: refusal(405, 'Method not allowed', { Allow: 'POST' }),
  too_large: refusal(413, 'Content too large'),
  aborted: refusal(400, 'Incomplete request'),
  no_key: UNAVAILABLE,
  overloaded: UNAVAILABLE,
  store_failed: UNAVAILABLE,
}

/**
 * The public app. `isCallbackPath` says whether callbacks of `domain` are taken under `prefix`: what
 * stands before `/callbacks/` in the path, percent-encoded in one spelling, '' for nothing.
 */
export function createCallbackApp(deps: {
  receiver: Receiver
  isCallbackPath(prefix: string, domain: string): boolean
  /** Whether probes are answered under `prefix`. */
  isPublicPath(prefix: string): boolean
  secrets: readonly Secret[]
  log: Log
}): Hono<Env> {
  const { receiver, isCallbackPath, isPublicPath, secrets, log } = deps
  const app = new Hono<Env>({ getPath: pathAsSent })

  app.all('*', (c): Response | Promise<Response> => {
    const target = parseTarget(c.req.path)
    // A public URL may itself have `/callbacks` in its path: no domain has a slash in it.
    if (target === undefined || target.domain.startsWith('probe/')) {
      return respond(answerProbe(c.req.method, c.req.path))
    }
    if (!isCallbackPath(target.prefix, target.domain)) return respond(NOT_FOUND)
    return receiver.receive(toCallbackRequest(c, target.domain)).then(respondTo)
  })

  function answerProbe(method: string, path: string): Answer {
    const at = path.lastIndexOf(PROBE)
    const nonce = path.slice(at + PROBE.length)
    if (at === -1 || !isNonce(nonce) || !isPublicPath(withOneSpelling(path.slice(0, at)))) {
      return NOT_FOUND
    }
    if (method !== 'GET') return refusal(405, 'Method not allowed', { Allow: 'GET' })
    return answer(200, { answers: probeAnswers(nonce, secrets) }, { 'Cache-Control': 'no-store' })
  }

  app.onError((error) => {
    log.error('a callback failed', describeBug(error))
    return respond(BROKEN)
  })

  return app
}

/** Hono's own getPath decodes; the domain must be decoded once and the prefix not at all. */
function pathAsSent({ url }: Request): string {
  const start = url.indexOf('/', url.indexOf('://') + '://'.length)
  const end = url.indexOf('?', start)
  return end === -1 ? url.slice(start) : url.slice(start, end)
}

function parseTarget(path: string): { prefix: string; domain: string } | undefined {
  const at = path.lastIndexOf(MARKER)
  if (at === -1) return undefined
  const end = path.endsWith('/') ? path.length - 1 : path.length
  const domain = decode(path.slice(at + MARKER.length, end))
  if (!domain) return undefined
  return { prefix: withOneSpelling(path.slice(0, at)), domain: domain.toLowerCase() }
}

function decode(segment: string): string | undefined {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** Node's own headers: the adaptor has read them already, `c.req.header` would build an object. */
function toCallbackRequest(c: Context<Env>, domain: string): CallbackRequest {
  const { headers } = c.env.incoming
  const declared = headers['content-length']
  const contentLength = declared === undefined ? undefined : Number(declared)
  return {
    domain,
    method: c.req.method,
    contentLength,
    timestamp: single(headers['ali-live-timestamp']),
    signature: single(headers['ali-live-signature']),
    readBody: () => readBody(c, contentLength),
  }
}

/** Node joins a repeated header with ', ': it then fails verification. Only cookies are lists. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The parser holds a sender to the length it declared, so only an undeclared one is counted. */
async function readBody(c: Context<Env>, contentLength: number | undefined) {
  try {
    if (contentLength === undefined) return await readCounted(c.req.raw.body)
    if (contentLength > MAX_BODY_BYTES) return 'too_large'
    return new Uint8Array(await c.req.arrayBuffer())
  } catch {
    return 'aborted'
  }
}

async function readCounted(body: ReadableStream<Uint8Array> | null) {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) return 'too_large'
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function respondTo(outcome: CallbackOutcome): Response {
  return respond(ANSWERS[outcome])
}

/** Plain header objects, shared by all answers: node-server writes these without a Headers. */
function respond({ body, init }: Answer): Response {
  return new Response(body, init)
}

function refusal(status: number, message: string, headers?: Record<string, string>): Answer {
  return answer(status, { Code: status, Msg: message }, headers)
}

function answer(status: number, body: object, headers?: Record<string, string>): Answer {
  const init = { status, headers: { 'Content-Type': 'application/json', ...headers } }
  return { body: JSON.stringify(body), init }
}
