// Which proxy is used for what, and whether it takes connections. Never its login.
import { createProxyFor, reachProxy, showProxy } from '../../app/proxy/proxy.ts'
import type { Config } from '../../config/config.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, problem } = findingsOf('proxy')

/** One finding for each proxy that any request goes through; none where there is no proxy. */
export async function checkProxies(config: Config, signal: AbortSignal): Promise<Finding[]> {
  const proxyFor = createProxyFor(config.proxies)
  const users = new Map<string, string[]>()
  for (const url of requested(config)) {
    const proxy = proxyFor(url)
    if (proxy !== undefined) users.set(proxy, [...(users.get(proxy) ?? []), new URL(url).host])
  }
  return Promise.all(
    [...users].map(async ([proxy, hosts]) => {
      const { reachable, detail } = await reachProxy(proxy, signal)
      const shown = showProxy(proxy)
      if (reachable) return ok(shown, `is used for ${[...new Set(hosts)].join(', ')}`)
      return problem(shown, detail, 'mend HTTP_PROXY and HTTPS_PROXY, or name hosts in NO_PROXY')
    }),
  )
}

/** Where requests of the web go to. */
function requested({ liveEndpoint, publicUrls, apiJwks, sinks }: Config): string[] {
  const hooks = sinks.map(({ url }) => url).filter((url) => /^https?:/i.test(url))
  return [liveEndpoint, publicUrls[0], ...(apiJwks ? [apiJwks.url] : []), ...hooks]
}
