// The URL that we register for a domain, and how two such URLs compare.

/** The longest URL that the provider takes (docs/provider.md#delivery). */
export const MAX_NOTIFY_URL_LENGTH = 500
const CALLBACKS = '/callbacks/'
const DEFAULT_PORTS = new Set(['', '80', '443'])

/** `<public URL>/callbacks/<domain>`, in the WHATWG form. */
export function notifyUrl(publicUrl: string, domain: string): string {
  return new URL(publicUrl.replace(/\/+$/, '') + CALLBACKS + domain).href
}

/** The path before `/callbacks/` in a NotifyUrl of ours, in one spelling: '' for none. */
export function pathPrefix(url: string): string {
  const pathname = withOneSpelling(new URL(url).pathname)
  return pathname.slice(0, pathname.lastIndexOf(CALLBACKS))
}

const PERCENT_ENCODED = /%[0-9a-f]{2}/gi
const UNRESERVED = /[A-Za-z0-9._~-]/

/**
 * A path or URL in which percent-encoding has one spelling: `%7e` is `~`, and `%c3` is `%C3`
 * (RFC 3986, 6.2.2). What stands for a reserved character stays as it is.
 */
export function withOneSpelling(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(PERCENT_ENCODED, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
    return UNRESERVED.test(character) ? character : encoded.toUpperCase()
  })
}

/** What may be shown of a URL: where it leads to. A path may hold a token, as a query may. */
export function showUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null) return 'something that is no URL'
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`
}

/** What may be shown of a NotifyUrl of ours: all but the path of the public URL, which may be a secret. */
export function showNotifyUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  const end = pathname.slice(pathname.lastIndexOf(CALLBACKS))
  return end === pathname ? origin + end : `${origin}/…${end}`
}

/** Whether both are the same URL: equal in their WHATWG form, however characters are encoded. */
export function sameUrl(a: string, b: string): boolean {
  return a === b || oneForm(a) === oneForm(b)
}

function oneForm(text: string): string {
  const url = URL.parse(text)
  return url === null ? text : withOneSpelling(url.href)
}

/** Whether two URLs differ in nothing but scheme, default port or trailing slash. */
export function nearlySameUrl(a: string, b: string): boolean {
  return essence(a) === essence(b)
}

function essence(text: string): string {
  const url = URL.parse(text)
  if (url === null) return text
  const port = DEFAULT_PORTS.has(url.port) ? '' : `:${url.port}`
  return withOneSpelling(`${url.hostname}${port}${url.pathname.replace(/\/+$/, '')}${url.search}`)
}
