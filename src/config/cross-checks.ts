// What settings ask of each other. Each check looks only at values that are right by themselves.
import { MAX_NOTIFY_URL_LENGTH, notifyUrl } from '../core/registration/notify-url.ts'
import { isSignedSink } from '../sinks/create-sinks.ts'
import { WEBHOOK_SECRET_ADVICE } from './settings/sinks.ts'
import type { Values } from './settings.ts'

type Given = Readonly<Record<string, string>>

/** The problems of settings that do not go with each other. */
export function crossCheck(values: Partial<Values>, given: Given): string[] {
  return [
    ...jwksProblems(given),
    ...lengthProblems(values),
    ...retentionProblems(values, given),
    ...webhookProblems(values, given),
  ]
}

/** If only the retention was set, and is longer than the default, it is meant for both. */
export function retentionMax(
  { retentionMs, retentionMaxMs }: Pick<Values, 'retentionMs' | 'retentionMaxMs'>,
  given: Given,
): number {
  if (given.SNAPHOOK_RETENTION_MAX !== undefined) return retentionMaxMs
  return Math.max(retentionMaxMs, retentionMs)
}

/** Verifying foreign tokens takes all three or none. */
function jwksProblems(given: Given): string[] {
  const names = ['SNAPHOOK_API_JWKS_URL', 'SNAPHOOK_API_ISSUER', 'SNAPHOOK_API_AUDIENCE'] as const
  const set = names.filter((name) => given[name])
  if (set.length === 0 || set.length === names.length) return []
  const [url, issuer, audience] = names
  return [`${url}, ${issuer} and ${audience} belong together: set all three or none`]
}

function lengthProblems({ publicUrls, domains }: Partial<Values>): string[] {
  if (publicUrls === undefined || domains === undefined) return []
  const tooLong = (domain: string) =>
    notifyUrl(publicUrls[0], domain).length > MAX_NOTIFY_URL_LENGTH
  return domains
    .filter(tooLong)
    .map(
      (domain) =>
        `SNAPHOOK_PUBLIC_URL is too long: with ${domain} the callback URL is above the provider's ${MAX_NOTIFY_URL_LENGTH} characters`,
    )
}

function retentionProblems(
  { retentionMs, retentionMaxMs }: Partial<Values>,
  given: Given,
): string[] {
  if (retentionMs === undefined || retentionMaxMs === undefined) return []
  if (retentionMax({ retentionMs, retentionMaxMs }, given) >= retentionMs) return []
  return [
    'SNAPHOOK_RETENTION_MAX must be as long as SNAPHOOK_RETENTION or longer: it is for events that are not delivered yet',
  ]
}

function webhookProblems({ sinks = [] }: Partial<Values>, given: Given): string[] {
  const webhook = sinks.find(({ url }) => isSignedSink(url))
  if (webhook === undefined || given.SNAPHOOK_WEBHOOK_SECRET !== undefined) return []
  return [
    `SNAPHOOK_WEBHOOK_SECRET is required: it signs what sink ${webhook.name} is sent; ${WEBHOOK_SECRET_ADVICE}`,
  ]
}
