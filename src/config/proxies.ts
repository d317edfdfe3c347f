// The proxy that requests go through, from the variables that most programs read. They belong to the
// machine and not to us: a small-letter name wins over the same in capitals, as with curl.
import { Problem } from '../core/problem.ts'
import type { Environment } from './environment.ts'

export type Proxies = {
  /** The URL of the proxy for `http:` and for `https:` URLs. It may hold a password. */
  readonly http: string | undefined
  readonly https: string | undefined
  /** Whom to reach without it: hosts, `host:port`, `.suffix`, address ranges, or `*`. */
  readonly direct: readonly string[]
}

/** Undefined where no proxy is named; a problem where one is that we can't use. */
export function readProxies(env: Environment): Proxies | undefined | Problem {
  const http = readProxy(env, 'http_proxy')
  const https = readProxy(env, 'https_proxy')
  if (http instanceof Problem) return http
  if (https instanceof Problem) return https
  if (http === undefined && https === undefined) return undefined
  const direct = lookUp(env, 'no_proxy')?.value.split(/[\s,]+/) ?? []
  return { http, https, direct: direct.filter((entry) => entry !== '') }
}

function readProxy(env: Environment, name: string): string | undefined | Problem {
  const given = lookUp(env, name)
  if (given === undefined) return undefined
  // `proxy:3128` is an old habit.
  const text = given.value.includes('://') ? given.value : `http://${given.value}`
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href
  return new Problem(`${given.name} must be the http:// or https:// URL of a proxy, or be unset`)
}

function lookUp(env: Environment, name: string): { name: string; value: string } | undefined {
  for (const each of [name, name.toUpperCase()]) {
    // Quotes around it are a problem of their own.
    const value = env[each]?.trim().replace(/^(["'])(.*)\1$/, '$2')
    if (value) return { name: each, value }
  }
  return undefined
}
