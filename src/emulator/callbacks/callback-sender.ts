// Sends callbacks as the provider does: signed, with a time-out, and retried a few times. Every
// attempt is logged. Callbacks run beside each other, up to a limit.

import { pause } from '../pause.ts'
import type { Switches } from '../switches.ts'
import type { Callback, CallbackLog } from './callback-log.ts'
import { signCallback } from './callback-signature.ts'
import { createPost, type PostResult } from './post.ts'

/** Documented: 5 s for an answer, then up to 5 retries, 1 s apart. */
export const SENDER_TIMEOUT_MS = 5000
export const RETRY_INTERVAL_MS = 1000
const MAX_RETRIES = 5

/** A receiver that hangs would otherwise collect sockets without end. */
const MAX_IN_FLIGHT = 1024
const OK = 200

/** A sender of callbacks; `stop` ends what is under way and waits for it. */
export function createCallbackSender(options: {
  now: () => number
  switches: () => Switches
  log: CallbackLog
  timeoutMs: number
  retryIntervalMs: number
}) {
  const { now, switches, log, timeoutMs, retryIntervalMs } = options
  const stopping = new AbortController()
  const post = createPost(stopping.signal)
  const inFlight = new Set<Promise<void>>()

  function headersOf({ url, key }: Callback): Record<string, string> {
    const common = { 'Content-Type': 'application/json', 'User-Agent': 'Go-http-client/1.1' }
    if (key === undefined) return common
    const { host, hostname } = new URL(url)
    const timestamp = String(Math.floor(now() / 1000))
    const signedHost = switches().signed_host === 'with_port' ? host : hostname
    const signature = signCallback(signedHost, timestamp, key)
    return {
      ...common,
      'ALI-LIVE-TIMESTAMP': timestamp,
      'ALI-LIVE-SIGNATURE': switches().hex === 'upper' ? signature.toUpperCase() : signature,
    }
  }

  async function deliver(callback: Callback): Promise<void> {
    let headers = headersOf(callback)
    for (let attempt = 1; attempt <= 1 + MAX_RETRIES; attempt += 1) {
      if (attempt > 1) {
        await pause(retryIntervalMs, stopping.signal)
        if (switches().retry_signature === 'resigned') headers = headersOf(callback)
      }
      const at = now()
      const result = await post(callback.url, headers, callback.body, timeoutMs)
      if (result.kind === 'stopped') return
      log.add({ callback, attempt, at, tookMs: now() - at, headers, result })
      if (isFinal(result, switches().retry_on_non_200)) return
    }
  }

  return {
    /** Starts to send, unless too much is under way already; `settled` is called at the end. */
    send(callback: Callback, settled: () => void): boolean {
      if (stopping.signal.aborted || inFlight.size >= MAX_IN_FLIGHT) return false
      const delivery = deliver(callback).finally(() => {
        inFlight.delete(delivery)
        settled()
      })
      inFlight.add(delivery)
      return true
    },
    inFlight: (): number => inFlight.size,
    async stop(): Promise<void> {
      stopping.abort()
      await Promise.allSettled(inFlight)
    },
  }
}

/** Only time-outs are documented to be retried; the switch says what the rest come to. */
function isFinal(result: PostResult, retryOnNon200: Switches['retry_on_non_200']): boolean {
  if (result.kind === 'timeout') return false
  if (result.kind === 'answer' && result.status === OK) return true
  return retryOnNon200 === 'no'
}
