// The NATS subject of an event: a template in which `{domain}`, `{app}` and `{stream}` stand for
// what the event says. Events are untrusted: whatever they say, a subject can be published to,
// matches no wildcard and leads nowhere but below the fixed beginning of its template.
import type { SnapshotCloudEvent } from '../../core/events/snapshot-event.ts'

/** Longer than names are. All of a subject has to stay below the 4 KiB that servers take as a line. */
const MAX_TOKEN_LENGTH = 128
const MAX_TEMPLATE_LENGTH = 100
const PLACEHOLDER = /\{(domain|app|stream)\}/g
/** What is not known, or empty. */
const UNKNOWN = '_'

/** What is wrong with a template: a sentence that follows what it is about. */
export function subjectProblem(template: string): string | undefined {
  const [first = '', ...rest] = template.replace(PLACEHOLDER, '{}').split('.')
  if (!/^[A-Za-z0-9-][A-Za-z0-9_-]*$/.test(first)) {
    return 'must name a subject that begins with a word: ?subject=snapshots.{domain}.{app}.{stream}'
  }
  if (template.length > MAX_TEMPLATE_LENGTH) {
    return `must have a subject of at most ${MAX_TEMPLATE_LENGTH} characters`
  }
  if (!rest.every((token) => /^(?:[A-Za-z0-9_-]|\{\})+$/.test(token))) {
    return 'may have letters, digits, - and _, dots between, {domain}, {app} and {stream} in its subject'
  }
  return undefined
}

/** Every subject of a template without a problem, as a stream is told to take them. */
export function subjectsOf(template: string): string {
  return template
    .split('.')
    .map((token) => (token.includes('{') ? '*' : token))
    .join('.')
}

/** The subject of an event of which this is known. */
export function subjectOf(
  template: string,
  { domain, app, stream }: Pick<SnapshotCloudEvent['data'], 'domain' | 'app' | 'stream'>,
): string {
  const values = { domain, app, stream }
  return template.replace(PLACEHOLDER, (_, name: keyof typeof values) => token(values[name]))
}

function token(value: string | null): string {
  const kept = (value ?? '').slice(0, MAX_TOKEN_LENGTH).replace(/[^A-Za-z0-9_-]/gu, '_')
  return kept === '' ? UNKNOWN : kept
}
