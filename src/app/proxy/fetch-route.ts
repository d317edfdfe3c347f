// `fetch` through proxies: undici's, of the version that Node has built in.
import { Agent, Dispatcher, getGlobalDispatcher, ProxyAgent, setGlobalDispatcher } from 'undici'

/** The proxy for a URL, or undefined where it is reached without one. */
type Route = (url: string) => string | undefined

/** Has every `fetch` use the proxy for its URL, until called back. */
export function routeFetch(proxyFor: Route): () => void {
  const before = getGlobalDispatcher()
  setGlobalDispatcher(new RoutingDispatcher(proxyFor))
  return () => setGlobalDispatcher(before)
}

/** `fetch` with a proxy where there is one for the URL. */
class RoutingDispatcher extends Dispatcher {
  readonly #proxyFor: Route
  readonly #direct = new Agent()
  readonly #proxied = new Map<string, Dispatcher>()

  constructor(proxyFor: Route) {
    super()
    this.#proxyFor = proxyFor
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    const proxy = this.#proxyFor(String(options.origin))
    return (proxy === undefined ? this.#direct : this.#through(proxy)).dispatch(options, handler)
  }

  #through(proxy: string): Dispatcher {
    const known = this.#proxied.get(proxy)
    if (known !== undefined) return known
    // Without a tunnel for plain http: proxies refuse one to other ports than that of https.
    const made = new ProxyAgent({ uri: proxy, proxyTunnel: false })
    this.#proxied.set(proxy, made)
    return made
  }
}
