// The URL that we register for a domain, and how two such URLs compare.

/** The longest URL that the provider takes (docs/provider.md#delivery). */
export const MAX_NOTIFY_URL_LENGTH = 500
const CALLBACKS = '/callbacks/'
const DEFAULT_PORTS = new Set(['', '80', '443'])

/** `<public URL>/callbacks/<domain>`, in the WHATWG form. */
export function notifyUrl(publicUrl: string, domain: string): string {
  return new URL(publicUrl.replace(/\/+$/, '') + CALLBACKS + domain).href
}

/** The path before `/callbacks/` in a NotifyUrl of ours: '' for none. */
export function pathPrefix(url: string): string {
  const { pathname } = new URL(url)
  return pathname.slice(0, pathname.lastIndexOf(CALLBACKS))
}

/** A URL that somebody else set, without the parts in which a token may stand. */
export function showUrl(text: string): string {
  const url = URL.parse(text)
  return url === null ? 'something that is no URL' : `${url.origin}${url.pathname}`
}

/** Whether both are the same URL for the provider: equal in their WHATWG form. */
export function sameUrl(a: string, b: string): boolean {
  return (URL.parse(a)?.href ?? a) === (URL.parse(b)?.href ?? b)
}

/** Whether two URLs differ in nothing but scheme, default port or trailing slash. */
export function nearlySameUrl(a: string, b: string): boolean {
  return essence(a) === essence(b)
}

function essence(text: string): string {
  const url = URL.parse(text)
  if (url === null) return text
  const port = DEFAULT_PORTS.has(url.port) ? '' : `:${url.port}`
  return `${url.hostname}${port}${url.pathname.replace(/\/+$/, '')}${url.search}`
}
