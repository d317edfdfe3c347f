// How the common kinds of settings are read: from a text to a value that is right, or to a problem
// that says what it must be. What a single setting needs stands with its declaration.
import { parseDuration } from '../core/duration.ts'
import { plainUrlProblem } from '../core/plain-url.ts'
import { Problem } from '../core/problem.ts'

const LISTEN = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d{1,5})$/
const MAX_PORT = 65_535
const OFF = 'off'

export type Address = { readonly host: string; readonly port: number }

/** Any text. */
export function readText(given: string): string {
  return given
}

/** One of a closed set of words. */
export function oneOf<const T extends string>(...words: readonly T[]) {
  const all = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return (given: string): T | Problem =>
    words.find((word) => word === given) ?? new Problem(`must be ${all}`)
}

/** Milliseconds. */
export function readDuration(given: string): number | Problem {
  return (
    parseDuration(given) ??
    new Problem(`must be a number and s, m, h or d, one second or more, such as 5m; not "${given}"`)
  )
}

/** Milliseconds; undefined for `off`. */
export function readDurationOrOff(given: string): number | undefined | Problem {
  if (given === OFF) return undefined
  return (
    parseDuration(given) ?? new Problem('must be a duration such as 5m, one second or more, or off')
  )
}

/** Turns a reader of milliseconds into one of seconds. */
export function inSeconds<T extends number | undefined>(
  readMs: (given: string) => T | Problem,
): (given: string) => T | Problem {
  return (given) => {
    const ms = readMs(given)
    return typeof ms === 'number' ? ((ms / 1000) as T) : ms
  }
}

/** What stands between commas, without blanks. */
export function readList(given: string): string[] {
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

export function nonEmpty<T>(list: readonly T[]): readonly [T, ...T[]] | undefined {
  return list.length === 0 ? undefined : (list as [T, ...T[]])
}

/** An http(s) URL without login, query and fragment. */
export function readPlainUrl(given: string): string | Problem {
  const problem = plainUrlProblem(given)
  return problem === undefined ? given : new Problem(problem)
}

/** `HOST:PORT`, an IPv6 address in brackets. */
export function readAddress(given: string): Address | Problem {
  const [, host, port] = LISTEN.exec(given) ?? []
  if (host === undefined || Number(port) > MAX_PORT) {
    return new Problem(`must be HOST:PORT, such as 127.0.0.1:8080 or [::]:8080; not "${given}"`)
  }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}
