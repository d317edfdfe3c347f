// The URLs of servers that sinks keep a connection to: host, login, and what else the sink needs, in
// the query. They may hold a password; what is wrong with one never repeats it.
import { Problem } from '../../core/problem.ts'

export type ServerUrl = {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly user: string
  readonly password: string
  /** Without the slash at its beginning. */
  readonly path: string
  readonly query: ReadonlyMap<string, string>
}

/** `tls`: the scheme that asks for TLS; `query`: the names that may be in the query, once each. */
export function readServerUrl(
  given: string,
  { port, tls, query: names }: { port: number; tls: string; query: readonly string[] },
): ServerUrl | Problem {
  const url = URL.parse(given)
  if (url === null || url.hostname === '' || !given.includes('://')) {
    return new Problem('must name a host')
  }
  if (given.includes('#')) {
    return new Problem('must have no fragment; a # in a password is written %23')
  }
  const keys = [...url.searchParams.keys()]
  if (keys.some((key, index) => !names.includes(key) || keys.indexOf(key) !== index)) {
    return new Problem(`may have ${names.join(' and ')} in its query, once, and nothing else`)
  }
  const [user, password] = [decoded(url.username), decoded(url.password)]
  if (user === null || password === null) {
    return new Problem('has a % in its user name or password that encodes nothing: write %25')
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || port,
    tls: url.protocol === tls,
    user,
    password,
    path: url.pathname.replace(/^\//, ''),
    query: new Map(url.searchParams),
  }
}

/** The reader of a kind's URLs, as what is wrong with one, and as what a sink begins with. */
export function placeReader<Place>(read: (url: string) => Place | Problem) {
  return {
    problem(url: string): string | undefined {
      const place = read(url)
      return place instanceof Problem ? place.sentence : undefined
    },
    /** Throws where the settings have let a problem through. */
    placeOf({ name, url }: { name: string; url: string }): Place {
      const place = read(url)
      if (place instanceof Problem) throw new TypeError(`sink ${name} ${place.sentence}`)
      return place
    },
  }
}

/** What can be read on the way where the scheme does not ask for TLS; undefined: nothing. */
export function readableOf(given: string, { tls }: { tls: string }): string | undefined {
  const { protocol, username, password } = new URL(given)
  if (protocol === tls) return undefined
  return username === '' && password === '' ? 'its events' : 'its login and its events'
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
