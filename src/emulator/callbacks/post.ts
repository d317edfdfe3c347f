// One HTTP POST as the provider sends it: no redirects, one connection for each request, and a
// deadline over everything. An answer, a time-out and a failure are all values.
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

export type PostResult =
  | { kind: 'answer'; status: number; body: string }
  | { kind: 'timeout' }
  | { kind: 'failure'; error: string }
  | { kind: 'stopped' }

/** Of a long answer, as much is kept as a person wants to see. */
const MAX_KEPT_BODY_CHARS = 200

export type Post = (
  url: string,
  headers: Record<string, string>,
  body: string,
  timeoutMs: number,
) => Promise<PostResult>

/** A `post` that ends with the signal. */
export function createPost(stop: AbortSignal): Post {
  const agents = { http: new HttpAgent(), https: new HttpsAgent() }

  return async (url, headers, body, timeoutMs) => {
    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = AbortSignal.any([stop, deadline])
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { method: 'POST', headers, signal }
        const request = url.startsWith('https:')
          ? requestHttps(url, { ...options, agent: agents.https })
          : requestHttp(url, { ...options, agent: agents.http })
        request.once('response', resolve).once('error', reject).end(body)
      })
      return { kind: 'answer', status: response.statusCode ?? 0, body: await textOf(response) }
    } catch (error) {
      if (stop.aborted) return { kind: 'stopped' }
      if (deadline.aborted) return { kind: 'timeout' }
      return { kind: 'failure', error: codeOf(error) }
    }
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) {
    if (text.length < MAX_KEPT_BODY_CHARS) text += String(chunk)
  }
  return text.slice(0, MAX_KEPT_BODY_CHARS)
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
