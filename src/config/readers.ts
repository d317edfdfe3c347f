// How each setting is read: from its text to a value that is right, or to a problem: a sentence that
// says what it must be, without the name, and without the text where that is a secret.
import { MIN_SECRET_BYTES, parseSecret } from '../core/keys/notify-key.ts'
import { plainUrlProblem } from '../core/plain-url.ts'
import { sinkUrlProblem } from '../sinks/create-sinks.ts'

/** Standard Webhooks asks for 24 to 64 bytes, in base64. */
const WEBHOOK_SECRET_BYTES = { least: 24, most: 64 }
const WEBHOOK_SECRET = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/
export const WEBHOOK_SECRET_ADVICE = 'make one with: echo "whsec_$(openssl rand -base64 32)"'
const DOMAIN =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const SINK_NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/
const LISTEN = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d{1,5})$/
const MAX_PORT = 65_535

const SIZE = /^(\d+(?:\.\d+)?)(KB|MB|GB|TB|%)$/
const BYTES = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const
/** An empty store takes about a hundred. */
const MIN_STORE_BYTES = 1e6

/** What is wrong with a setting: a sentence that follows its name. */
export class Problem {
  readonly sentence: string
  constructor(sentence: string) {
    this.sentence = sentence
  }
}

export type Address = { readonly host: string; readonly port: number }

function readList(given: string): string[] {
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function nonEmpty<T>(list: T[]): [T, ...T[]] | undefined {
  return list.length === 0 ? undefined : (list as [T, ...T[]])
}

export function readPlainUrl(given: string): string | Problem {
  const problem = plainUrlProblem(given)
  return problem === undefined ? given : new Problem(problem)
}

export function readPublicUrls(given: string): [string, ...string[]] | Problem {
  const urls = readList(given).map(readPlainUrl)
  const problem = urls.find((url) => url instanceof Problem)
  if (problem) return problem
  return nonEmpty(urls as string[]) ?? new Problem('holds no URL')
}

export function readDomains(given: string): [string, ...string[]] | Problem {
  const domains = [...new Set(readList(given.toLowerCase()))]
  const wrong = domains.find((domain) => !DOMAIN.test(domain))
  if (wrong !== undefined) return new Problem(`holds "${wrong}", which is not a domain name`)
  return nonEmpty(domains) ?? new Problem('holds no domain')
}

export function readAddress(given: string): Address | Problem {
  const [, host, port] = LISTEN.exec(given) ?? []
  if (host === undefined || Number(port) > MAX_PORT) {
    return new Problem(`must be HOST:PORT, such as 127.0.0.1:8080 or [::]:8080; not "${given}"`)
  }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}

export function readStorePath(given: string): string | Problem {
  const path = given.startsWith('sqlite:') ? given.slice('sqlite:'.length) : ''
  return path === '' || path.startsWith(':')
    ? new Problem('must be sqlite:PATH, such as sqlite:data/snaphook.db')
    : path
}

export function readSecrets(given: string): [Uint8Array, ...Uint8Array[]] | Problem {
  const secrets = readList(given).map(parseSecret)
  const fit = secrets.filter((secret) => secret !== undefined)
  const found = fit.length === secrets.length ? nonEmpty(fit) : undefined
  const advice = `make one with: openssl rand -base64 ${MIN_SECRET_BYTES} | tr '+/' '-_' | tr -d '='`
  return (
    found ?? new Problem(`must be base64url of ${MIN_SECRET_BYTES} bytes or more each; ${advice}`)
  )
}

export function readWebhookSecrets(given: string): [string, ...string[]] | Problem {
  const secrets = readList(given)
  const fit = secrets.every((secret) => {
    const [, encoded = ''] = WEBHOOK_SECRET.exec(secret) ?? []
    const { length } = Buffer.from(encoded, 'base64')
    return length >= WEBHOOK_SECRET_BYTES.least && length <= WEBHOOK_SECRET_BYTES.most
  })
  const { least, most } = WEBHOOK_SECRET_BYTES
  const found = fit ? nonEmpty(secrets) : undefined
  return (
    found ??
    new Problem(
      `must be whsec_ and base64 of ${least} to ${most} bytes each; ${WEBHOOK_SECRET_ADVICE}`,
    )
  )
}

/** How large the store may grow: bytes, or a share of the room that there is at the start. */
export type StoreMax = { readonly bytes: number } | { readonly share: number }

export function readStoreMax(given: string): StoreMax | Problem {
  const [, amount, unit] = SIZE.exec(given) ?? []
  if (unit === '%' && Number(amount) > 0 && Number(amount) <= 100) {
    return { share: Number(amount) / 100 }
  }
  const bytes = Number(amount) * BYTES[unit as keyof typeof BYTES]
  return bytes >= MIN_STORE_BYTES
    ? { bytes }
    : new Problem(
        `must be a size of 1MB or more, such as 20GB, or a share such as 80%; not "${given}"`,
      )
}

export function readApiSecret(given: string): string | Problem {
  const fit = Buffer.byteLength(given) >= MIN_SECRET_BYTES
  return fit ? given : new Problem(`must have ${MIN_SECRET_BYTES} characters or more`)
}

export function readSinks(given: string): { name: string; url: string }[] | Problem {
  const sinks: { name: string; url: string }[] = []
  for (const item of readList(given)) {
    const [, name, url] = /^(?:([^=:/?]*)=)?(.*)$/.exec(item) ?? []
    const named = name ?? (url === 'stdout:' ? 'stdout' : undefined)
    if (named === undefined || !SINK_NAME.test(named)) {
      return new Problem('must be name=url,… with names of small letters, digits, - and _')
    }
    const problem = url === undefined ? undefined : sinkUrlProblem(url)
    if (url === undefined || problem !== undefined) return new Problem(`: sink ${named} ${problem}`)
    if (sinks.some((sink) => sink.name === named)) return new Problem(`names ${named} twice`)
    sinks.push({ name: named, url })
  }
  return sinks.length > 0 ? sinks : new Problem('names no sink')
}
