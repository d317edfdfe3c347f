// `https://…` POSTs a batch of CloudEvents, signed as Standard Webhooks. Redirects are not followed,
// answers are judged by their status alone, and their bodies are neither kept nor shown.
import { hash } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { portProblem } from '../core/blocked-ports.ts'
import type { DeliveryOutcome } from '../core/delivery/outcome.ts'
import { deliveryId, type StoredEvent, toCloudEvent } from '../core/events/snapshot-event.ts'
import { plainUrlProblem } from '../core/plain-url.ts'
import type { Reachability, Sink } from '../ports/sink.ts'
import { connectionFault } from './connection/fault.ts'
import { type Address, placeOf, reach, speaksTls } from './connection/reach.ts'
import type { SinkKind } from './sink-kind.ts'

/** The time that Standard Webhooks gives a receiver at least; a sink that hangs waits no longer. */
const WEBHOOK_TIMEOUT_MS = 15_000

/** About an event: too large, malformed or not understood; sent again it would be the same. */
const REJECTS = new Set([400, 413, 415, 422])
/** May pass, though it is in the range of those that don't: time-out, too early, too many. */
const REQUEST_TIMEOUT = 408
const MAY_PASS = new Set([REQUEST_TIMEOUT, 425, 429])
const SECOND_MS = 1_000
/** Of an answer's body, which is a few words if there is one. */
const MAX_ANSWER_BYTES = 16 * 1024
const MAX_ANSWER_MS = 2_000
const HTTP_PORT = 80
const HTTPS_PORT = 443

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
  isSigned: true,
  readable: (url) => (new URL(url).protocol === 'http:' ? 'its events' : undefined),
  problem: (url) => plainUrlProblem(url) ?? portProblem(url),
  create: (setting, { webhookSecrets: secrets, now }) =>
    createWebhookSink({ ...setting, secrets, now }),
}

export function createWebhookSink(options: WebhookOptions): Sink {
  const { name, url, secrets, now, timeoutMs = WEBHOOK_TIMEOUT_MS } = options
  const signers = secrets.map((secret) => new Webhook(secret))
  const closing = new AbortController()

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
        void readAway(response.body, closing.signal)
        return outcomeOf(response.status, response.headers.get('retry-after'), now())
      } catch (error) {
        if (signal.aborted) return { kind: 'failed', reason: 'stopped before it answered' }
        if (!late.aborted) return connectionFault(error)
        // To connect takes less: it was sent, and may be what was too much.
        const reason = `no answer within ${timeoutMs / SECOND_MS} s`
        return { kind: 'failed', reason, strike: true }
      }
    },
    check: (signal) => check(addressOf(url), signal),
    async close() {
      closing.abort()
    },
  }
}

/**
 * Reads the rest of an answer and drops it, since only then is its connection used again. Nothing waits
 * for that; an answer that is long or slow costs its connection.
 */
async function readAway(body: Response['body'], closing: AbortSignal): Promise<void> {
  if (body === null) return
  const reader = body.getReader()
  const cancel = (): void => void reader.cancel().catch(() => undefined)
  const enough = AbortSignal.any([closing, AbortSignal.timeout(MAX_ANSWER_MS)])
  enough.addEventListener('abort', cancel, { once: true })
  try {
    for (let bytes = 0; bytes <= MAX_ANSWER_BYTES && !enough.aborted; ) {
      const { done, value } = await reader.read()
      if (done) return
      bytes += value.byteLength
    }
    cancel()
  } catch {
    // It broke off: the status came, and that is what counts.
  } finally {
    enough.removeEventListener('abort', cancel)
  }
}

async function check(address: Address, signal: AbortSignal): Promise<Reachability> {
  const found = await reach(address, signal)
  if (!found.reachable || address.tls || !(await speaksTls(address, signal))) return found
  const place = placeOf(address.host, address.port)
  return { reachable: false, detail: `${place} speaks TLS: its URL has to begin with https://` }
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
  const strike = status >= 500 || status === REQUEST_TIMEOUT
  return { kind: 'failed', reason, strike, retryAfterMs: pauseMs(retryAfter, now) }
}

/** Seconds or a date; 0 for anything else, and for what is over. */
function pauseMs(retryAfter: string | null, now: number): number {
  const given = retryAfter?.trim() ?? ''
  if (/^\d{1,9}$/.test(given)) return Number(given) * SECOND_MS
  const until = Date.parse(given)
  return Number.isNaN(until) ? 0 : Math.max(0, until - now)
}

function addressOf(url: string) {
  const { protocol, hostname, port } = new URL(url)
  const tls = protocol === 'https:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(port) || (tls ? HTTPS_PORT : HTTP_PORT), tls }
}
