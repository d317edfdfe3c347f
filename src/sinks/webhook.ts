// `https://…` POSTs a batch of CloudEvents, signed as Standard Webhooks. Redirects are not followed,
// answers are judged by their status alone, and their bodies are neither kept nor shown.
import { hash } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import type { DeliveryOutcome } from '../core/delivery/outcome.ts'
import { deliveryId, type StoredEvent, toCloudEvent } from '../core/events/snapshot-event.ts'
import { plainUrlProblem } from '../core/plain-url.ts'
import type { Sink } from '../ports/sink.ts'
import { codeOf, reach } from './connection/reach.ts'
import type { SinkKind } from './sink-kind.ts'

/** The time that Standard Webhooks gives a receiver at least; a sink that hangs waits no longer. */
const WEBHOOK_TIMEOUT_MS = 15_000

/** About an event: too large, malformed or not understood; sent again it would be the same. */
const REJECTS = new Set([400, 413, 415, 422])
/** May pass, though it is in the range of those that don't: time-out, too early, too many. */
const MAY_PASS = new Set([408, 425, 429])
const SECOND_MS = 1_000
const HTTP_PORT = 80
const HTTPS_PORT = 443

/** Those that fetch never connects to: https://fetch.spec.whatwg.org/#port-blocking */
const BLOCKED_PORTS = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
  103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
  512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
  995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
  6669, 6679, 6697, 10_080,
])

export type WebhookOptions = {
  readonly name: string
  readonly url: string
  /** `whsec_…`, each of which signs. */
  readonly secrets: readonly string[]
  /** Epoch ms. */
  readonly now: () => number
  readonly timeoutMs?: number
}

export const WEBHOOK: SinkKind = {
  problem: (url) => plainUrlProblem(url) ?? portProblem(url),
  create: (setting, { webhookSecrets: secrets, now }) =>
    createWebhookSink({ ...setting, secrets, now }),
}

export function createWebhookSink(options: WebhookOptions): Sink {
  const { name, url, secrets, now, timeoutMs = WEBHOOK_TIMEOUT_MS } = options
  const signers = secrets.map((secret) => new Webhook(secret))

  return {
    name,
    async deliver(events, signal) {
      const body = JSON.stringify(events.map(toCloudEvent))
      const id = messageId(events)
      const sentAt = new Date(now())
      const late = AbortSignal.timeout(timeoutMs)
      try {
        const response = await fetch(url, {
          method: 'POST',
          body,
          headers: {
            'Content-Type': 'application/cloudevents-batch+json; charset=utf-8',
            'User-Agent': 'snaphook',
            'webhook-id': id,
            'webhook-timestamp': String(Math.floor(sentAt.getTime() / SECOND_MS)),
            'webhook-signature': signers.map((each) => each.sign(id, sentAt, body)).join(' '),
          },
          redirect: 'manual',
          signal: AbortSignal.any([signal, late]),
        })
        // Unread, it would hold the connection. What becomes of it is of no interest any more.
        await response.body?.cancel().catch(() => undefined)
        return outcomeOf(response.status, response.headers.get('retry-after'), now())
      } catch (error) {
        if (signal.aborted) return { kind: 'failed', reason: 'stopped before it answered' }
        const reason = late.aborted
          ? `no answer within ${timeoutMs / SECOND_MS} s`
          : noAnswer(error)
        return { kind: 'failed', reason }
      }
    },
    check: (signal) => reach(addressOf(url), signal),
    async close() {},
  }
}

function portProblem(url: string): string | undefined {
  const { port } = new URL(url)
  if (port === '' || !BLOCKED_PORTS.has(Number(port))) return undefined
  return `must have another port than ${port}, which belongs to another protocol and is never connected to`
}

/** The same for the same events, so that a receiver knows a repeated batch. */
function messageId(events: readonly StoredEvent[]): string {
  return `msg_${hash('sha256', events.map(deliveryId).join('\n'))}`
}

/** What a status says of a batch; `retryAfter` is the header of that name, `now` in epoch ms. */
export function outcomeOf(status: number, retryAfter: string | null, now: number): DeliveryOutcome {
  const reason = `answered ${status}`
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (REJECTS.has(status)) return { kind: 'rejected', reason }
  if (status < 500 && !MAY_PASS.has(status)) return { kind: 'refused', reason }
  return { kind: 'failed', reason, strike: status >= 500, retryAfterMs: pauseMs(retryAfter, now) }
}

/** Seconds or a date; 0 for anything else, and for what is over. */
function pauseMs(retryAfter: string | null, now: number): number {
  const given = retryAfter?.trim() ?? ''
  if (/^\d{1,9}$/.test(given)) return Number(given) * SECOND_MS
  const until = Date.parse(given)
  return Number.isNaN(until) ? 0 : Math.max(0, until - now)
}

/** The code of what went wrong, never its message: that may hold the URL. */
function noAnswer(error: unknown): string {
  const code = codeOf(error instanceof Error ? error.cause : undefined)
  return code === undefined ? 'no answer' : `no answer (${code})`
}

function addressOf(url: string) {
  const { protocol, hostname, port } = new URL(url)
  const tls = protocol === 'https:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(port) || (tls ? HTTPS_PORT : HTTP_PORT), tls }
}
