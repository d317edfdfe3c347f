// What the environment sets of ours: texts by the names of the settings, `_FILE` forms read.
import { SETTINGS } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>
/** Returns the text of a file, or throws. */
export type ReadFile = (path: string) => string

export const FILE_SUFFIX = '_FILE'
/** Values of `DEBUG` that make the HTTP library under pop-core print what it sends. */
const PRINTS_API_CALLS = /(^|[\s,])(\*|httpx)/

/** What Node prints for these sections of `NODE_DEBUG` has headers and URLs in it. */
const PRINTS_TRAFFIC = ['http', 'https', 'http2', 'net', 'tls', 'fetch', 'undici', 'websocket']
/** As a shell takes them away, and `docker run --env-file` and files do not. */
const QUOTED = /^(["'])(.*)\1$/s
/** Not ours, but as much in vain with quotes around them. */
const OTHERS = /^(?:ALIBABA_CLOUD_\w+|(?:https?|no)_proxy)$/i
/** An empty file is as good as none: but without this secret a new one would be made, in silence. */
const NEVER_EMPTY = SETTINGS.secrets.env

const NAMES: ReadonlySet<string> = new Set(Object.values(SETTINGS).map(({ env }) => env))
/** May be given as the path of a file, under the name with `_FILE` behind it. */
export const SECRET_NAMES: readonly string[] = Object.values(SETTINGS)
  .filter((setting) => 'secret' in setting)
  .map(({ env }) => env)
const BY_FILE_NAME = new Map(SECRET_NAMES.map((name) => [name + FILE_SUFFIX, name]))

/** What is set under our prefix; an empty text is the same as none. */
export function gather(env: Environment, readFile: ReadFile) {
  const found: Record<string, string> = {}
  const problems: string[] = []
  if (PRINTS_API_CALLS.test(env.DEBUG ?? '')) {
    problems.push(
      'DEBUG would print keys and signatures of API calls: unset it, or leave out httpx',
    )
  }
  if (printsTraffic(env.NODE_DEBUG ?? '')) {
    problems.push(
      'NODE_DEBUG would print signatures and tokens: unset it, or leave out http, net, tls, fetch and undici',
    )
  }
  const unquoted = (name: string, text: string): string => {
    const [, , inner] = QUOTED.exec(text) ?? []
    if (inner === undefined) return text
    problems.push(
      `${name} is wrapped in quotes, which are a part of its value: docker run --env-file and files keep them; write it without`,
    )
    return inner
  }
  for (const [name, given] of Object.entries(env)) {
    if (OTHERS.test(name)) unquoted(name, given?.trim() ?? '')
    if (!name.startsWith('SNAPHOOK_') || given === undefined || given === '') continue
    const value = unquoted(name, given.trim())
    const target = BY_FILE_NAME.get(name)
    if (NAMES.has(name)) found[name] = value
    else if (target === undefined) problems.push(`${name} is not a setting: check its spelling`)
    else if (env[target]) problems.push(`${name} and ${target} are both set: remove one`)
    else {
      try {
        const text = unquoted(name, readFile(value).trim())
        if (text !== '' || target === NEVER_EMPTY) found[target] = text
      } catch {
        problems.push(`${name} must be the path of a file that can be read`)
      }
    }
  }
  return { given: found, problems }
}

/** Whether Node takes `NODE_DEBUG` to mean one of these sections: a list, with `*` for any letters. */
function printsTraffic(list: string): boolean {
  const patterns = list
    .split(',')
    .filter((each) => each !== '')
    .map((each) => each.replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replaceAll('*', '.*'))
  return patterns.some((pattern) => {
    const section = new RegExp(`^${pattern}$`, 'i')
    return PRINTS_TRAFFIC.some((name) => section.test(name))
  })
}
