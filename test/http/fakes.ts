// Hand-written fakes for the listeners' tests.

import type { CallbackOutcome } from '../../src/core/events/callback.ts'
import { secretFrom } from '../../src/core/keys/notify-key.ts'
import type { CallbackRequest, Receiver } from '../../src/flows/receive/receiver.ts'
import { MAX_BODY_BYTES } from '../../src/flows/receive/receiver.ts'
import type { Log } from '../../src/ports/log.ts'

/** What a callback app needs in order to answer probes under the root. */
export const PROBED = {
  secrets: [secretFrom(new Uint8Array(32).fill(1))],
  isPublicPath: (prefix: string) => prefix === '',
}

export type LogLine = { level: keyof Log; message: string; fields: unknown }

export function createFakeLog(): Log & { lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: keyof Log) => (message: string, fields?: unknown) => {
    lines.push({ level, message, fields })
  }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export type FakeReceiver = Receiver & {
  readonly requests: CallbackRequest[]
  readonly outcomes: CallbackOutcome[]
  readonly bodies: Uint8Array[]
  /** While held, requests wait before they are judged. */
  hold(): () => void
}

/** Judges in the real receiver's order; a signature is good when it says so. */
export function createFakeReceiver(): FakeReceiver {
  const requests: CallbackRequest[] = []
  const outcomes: CallbackOutcome[] = []
  const bodies: Uint8Array[] = []
  let gate: Promise<void> | undefined

  async function judge(request: CallbackRequest): Promise<CallbackOutcome> {
    if (request.method !== 'POST') return 'method'
    if ((request.contentLength ?? 0) > MAX_BODY_BYTES) return 'too_large'
    if (request.timestamp === undefined || request.signature === undefined) return 'missing_header'
    await gate
    if (request.signature !== 'good') return 'bad_signature'
    const body = await request.readBody()
    if (typeof body === 'string') return body
    bodies.push(body)
    return 'accepted'
  }

  return {
    requests,
    outcomes,
    bodies,
    async receive(request) {
      requests.push(request)
      const outcome = await judge(request)
      outcomes.push(outcome)
      return outcome
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return () => {
        gate = undefined
        resolve()
      }
    },
  }
}
