// Requests go through the proxy that the environment names: all of `fetch`, and the provider's SDK.
// This machine and the cloud's metadata service are always reached without it.
import { BlockList, isIP } from 'node:net'
import { routeSdk } from '../../cloud/sdk-route.ts'
import type { Config } from '../../config/config.ts'
import type { Proxies } from '../../config/proxies.ts'
import type { Reachability } from '../../ports/sink.ts'
import { reach } from '../../sinks/connection/reach.ts'

/** The proxy for a URL, or undefined where it is reached without one. */
export type ProxyFor = (url: string) => string | undefined

/** Loopback, and link-local: where clouds have their metadata; Alibaba Cloud has it elsewhere. */
const NEVER = ['localhost', '127.0.0.0/8', '::1', '169.254.0.0/16', '100.100.100.200']

export function createProxyFor(proxies: Proxies | undefined): ProxyFor {
  if (proxies === undefined) return () => undefined
  const rules = [...NEVER, ...proxies.direct].map(ruleOf)
  return (url) => {
    const { protocol, hostname, port } = new URL(url)
    const isTls = protocol === 'https:'
    const proxy = isTls ? proxies.https : proxies.http
    if (proxy === undefined) return undefined
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const place = { host, port: port || (isTls ? '443' : '80') }
    return rules.some((rule) => rule(place)) ? undefined : proxy
  }
}

/** What may be shown of a proxy: it may need a password. */
export function showProxy(proxy: string): string {
  return new URL(proxy).origin
}

/** Whether a proxy takes connections. */
export function reachProxy(proxy: string, signal: AbortSignal): Promise<Reachability> {
  const { protocol, hostname, port } = new URL(proxy)
  const tls = protocol === 'https:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return reach({ host, port: Number(port) || (tls ? 443 : 80), tls }, signal)
}

/** Has this process use the proxies of the settings until the function that is returned is called. */
export async function useProxies({ proxies, opsListen }: Config): Promise<() => void> {
  if (proxies === undefined) return () => undefined
  // Only then: to load it takes a while, and makes it the one behind every `fetch`.
  const { routeFetch } = await import('./fetch-route.ts')
  // `status` asks the service of this machine, at whatever address.
  const proxyFor = createProxyFor({ ...proxies, direct: [...proxies.direct, opsListen.host] })
  const restore = [routeFetch(proxyFor), routeSdk(proxyFor)]
  return () => {
    for (const each of restore) each()
  }
}

type Rule = (place: { host: string; port: string }) => boolean

function ruleOf(entry: string): Rule {
  if (entry === '*') return () => true
  const range = rangeOf(entry)
  if (range !== undefined) {
    return ({ host }) => isIP(host) !== 0 && range.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
  }
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
  const bare = name.replace(/^\*?\./, '').replace(/^\[(.*)\]$/, '$1')
  return (place) =>
    (port === undefined || port === place.port) &&
    (place.host === bare || place.host.endsWith(`.${bare}`))
}

/** An address, or a range of them such as `10.0.0.0/8`. */
function rangeOf(entry: string): BlockList | undefined {
  const [address = '', bits, ...rest] = entry.replace(/^\[(.*)\]$/, '$1').split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return undefined
  const list = new BlockList()
  const most = version === 6 ? 128 : 32
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)) return undefined
  list.addSubnet(address, Number(bits ?? most), version === 6 ? 'ipv6' : 'ipv4')
  return list
}
