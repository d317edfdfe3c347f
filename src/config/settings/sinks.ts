// Where events go.
import { Problem } from '../../core/problem.ts'
import { sinkUrlProblem } from '../../sinks/create-sinks.ts'
import { nonEmpty, readList } from '../readers.ts'
import { setting } from '../setting.ts'

const SINK_NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/
/** Standard Webhooks asks for 24 to 64 bytes, in base64. */
const WEBHOOK_SECRET_BYTES = { least: 24, most: 64 }
const WEBHOOK_SECRET = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/
export const WEBHOOK_SECRET_ADVICE = 'make one with: echo "whsec_$(openssl rand -base64 32)"'

export type SinkSetting = { readonly name: string; readonly url: string }

export const SINK_SETTINGS = {
  sinks: setting({
    env: 'SNAPHOOK_SINKS',
    // URLs of sinks hold logins and tokens.
    secret: true,
    default: 'stdout:',
    read: readSinks,
    about: 'where events go: `name=url,…`; a comma in a URL is `%2C`',
  }),
  /** Each signs webhook deliveries; none if no sink needs any. */
  webhookSecrets: setting({
    env: 'SNAPHOOK_WEBHOOK_SECRET',
    secret: true,
    none: [] as const,
    read: readWebhookSecrets,
    about: 'signs what webhook sinks are sent, which need it: `whsec_…`',
  }),
}

function readSinks(given: string): readonly SinkSetting[] | Problem {
  const sinks: SinkSetting[] = []
  const wrong: string[] = []
  for (const item of readList(given)) {
    const [, name, url = ''] = /^(?:([^=:/?]*)=)?(.*)$/.exec(item) ?? []
    const named = name ?? (url === 'stdout:' ? 'stdout' : undefined)
    if (named === undefined || !SINK_NAME.test(named)) {
      return new Problem('must be name=url,… with names of small letters, digits, - and _')
    }
    const problem = sinkUrlProblem(url)
    if (problem !== undefined) wrong.push(`sink ${named} ${problem}`)
    if (sinks.some((sink) => sink.name === named)) return new Problem(`names ${named} twice`)
    sinks.push({ name: named, url })
  }
  if (wrong.length > 0) return new Problem(`is wrong: ${wrong.join('; ')}`)
  return sinks.length > 0 ? sinks : new Problem('names no sink')
}

function readWebhookSecrets(given: string): readonly string[] | Problem {
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
