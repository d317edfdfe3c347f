// The provider's SDK through a proxy. Its HTTP library has agents of its own, and takes another one
// only with each request; the part that asks for credentials passes none.
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createRequire } from 'node:module'

type Options = { agent?: unknown } & Record<string, unknown>
type Httpx = { request(url: unknown, options?: Options): Promise<unknown> }

/** Connections to an `http:` or `https:` URL, kept open; through a proxy where one is given. */
export function agentFor(url: string, proxy: string | undefined): HttpAgent | HttpsAgent {
  const options = {
    keepAlive: true,
    ...(proxy !== undefined && { proxyEnv: { http_proxy: proxy, https_proxy: proxy } }),
  }
  return url.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options)
}

/** Has requests of the SDK that name no agent use the proxy for their URL, until called back. */
export function routeSdk(proxyFor: (url: string) => string | undefined): () => void {
  const ours = createRequire(import.meta.url)
  // The very instance that the SDK has.
  const httpx = createRequire(ours.resolve('@alicloud/credentials'))('httpx') as Httpx
  const { request } = httpx
  httpx.request = (url, options) => {
    const proxy = typeof url === 'string' ? proxyFor(url) : undefined
    if (proxy === undefined || options?.agent !== undefined) return request(url, options)
    return request(url, { ...options, agent: agentFor(url as string, proxy) })
  }
  return () => {
    httpx.request = request
  }
}
