// What the environment sets of ours: texts by the names of the settings, `_FILE` forms read.
import { SETTINGS } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>
/** Returns the text of a file, or throws. */
export type ReadFile = (path: string) => string

export const FILE_SUFFIX = '_FILE'
/** Values of `DEBUG` that make the HTTP library under pop-core print what it sends. */
const PRINTS_API_CALLS = /(^|[\s,])(\*|httpx)/

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
  const given: Record<string, string> = {}
  const problems: string[] = []
  if (PRINTS_API_CALLS.test(env.DEBUG ?? '')) {
    problems.push(
      'DEBUG would print keys and signatures of API calls: unset it, or leave out httpx',
    )
  }
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('SNAPHOOK_') || value === undefined || value === '') continue
    const target = BY_FILE_NAME.get(name)
    if (NAMES.has(name)) given[name] = value.trim()
    else if (target === undefined) problems.push(`${name} is not a setting: check its spelling`)
    else if (env[target]) problems.push(`${name} and ${target} are both set: remove one`)
    else {
      try {
        const text = readFile(value).trim()
        if (text !== '' || target === NEVER_EMPTY) given[target] = text
      } catch {
        problems.push(`${name} must be the path of a file that can be read`)
      }
    }
  }
  return { given, problems }
}
