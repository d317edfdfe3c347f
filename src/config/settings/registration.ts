// What is registered, where, and how firmly.
import { Problem } from '../../core/problem.ts'
import { nonEmpty, oneOf, readDuration, readList, readPlainUrl } from '../readers.ts'
import { setting } from '../setting.ts'

/** Anything beyond ASCII. */
const NON_ASCII = /[^\0-\x7f]/
const URL_PARTS = /^([a-z]+:\/\/)([^/]*)(.*)$/is
const DOMAIN =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

const readOnConflict = oneOf('refuse', 'takeover')

export const REGISTRATION_SETTINGS = {
  /** As configured: the one to register, then former ones. */
  publicUrls: setting({
    env: 'SNAPHOOK_PUBLIC_URL',
    required: 'the URL under which Alibaba Cloud reaches this service',
    read: readPublicUrls,
    about: 'what Alibaba Cloud can reach; former URLs may follow',
  }),
  domains: setting({
    env: 'SNAPHOOK_DOMAINS',
    required: 'the streaming domains, separated by commas',
    read: readDomains,
    about: 'streaming domains, separated by commas',
  }),
  /** Without a slash at its end. */
  liveEndpoint: setting({
    env: 'SNAPHOOK_LIVE_ENDPOINT',
    default: 'https://live.aliyuncs.com',
    read: readEndpoint,
    about: "the provider's API",
  }),
  /** Whether a configuration that points elsewhere is replaced. */
  takeover: setting({
    env: 'SNAPHOOK_ON_CONFLICT',
    default: 'refuse',
    read: readTakeover,
    about: '`takeover` replaces a callback URL that is not ours',
  }),
  reconcileIntervalMs: setting({
    env: 'SNAPHOOK_RECONCILE_INTERVAL',
    default: '5m',
    read: readDuration,
    about: 'how often each registration is checked, ± 10 %',
  }),
}

function readPublicUrls(given: string): readonly [string, ...string[]] | Problem {
  const urls = readList(given).map(readPlainUrl).map(withAsciiHost)
  const problem = urls.find((url) => url instanceof Problem)
  if (problem) return problem
  return nonEmpty(urls as string[]) ?? new Problem('holds no URL')
}

function readDomains(given: string): readonly [string, ...string[]] | Problem {
  const domains = [...new Set(readList(given.toLowerCase()).map(asciiDomain))]
  const wrong = domains.find((domain) => !DOMAIN.test(domain))
  if (wrong !== undefined) return new Problem(`holds "${wrong}", which is not a domain name`)
  return nonEmpty(domains) ?? new Problem('holds no domain')
}

/** A name with letters beyond ASCII in the form that DNS and the provider know: `xn--…`. */
function asciiDomain(domain: string): string {
  return NON_ASCII.test(domain) ? (URL.parse(`http://${domain}`)?.hostname ?? domain) : domain
}

function withAsciiHost(url: string | Problem): string | Problem {
  if (url instanceof Problem) return url
  const [, scheme = '', host = '', rest = ''] = URL_PARTS.exec(url) ?? []
  return NON_ASCII.test(host) ? `${scheme}${new URL(url).host}${rest}` : url
}

function readEndpoint(given: string): string | Problem {
  const url = readPlainUrl(given)
  return url instanceof Problem ? url : new URL(url).href.replace(/\/$/, '')
}

function readTakeover(given: string): boolean | Problem {
  const word = readOnConflict(given)
  return word instanceof Problem ? word : word === 'takeover'
}
