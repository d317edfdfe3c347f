// Whether a snaphook with our secret is behind a URL: it is asked with a nonce, and its answer is an
// HMAC that only a holder of the secret can give. A key of its own, so that an answer tells nothing
// of notify keys.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { probeKey, type Secret } from './keys/notify-key.ts'

/** What the nonce of a probe must look like: enough to be unique, short enough to be cheap. */
const NONCE = /^[A-Za-z0-9_-]{16,64}$/
const ANSWER = /^[0-9a-f]{64}$/

export function isNonce(text: string): boolean {
  return NONCE.test(text)
}

/** The answers to a probe, one per secret in hex: replicas may be about to change theirs. */
export function probeAnswers(nonce: string, secrets: readonly Secret[]): string[] {
  return secrets.map((secret) => createHmac('sha256', probeKey(secret)).update(nonce).digest('hex'))
}

/** Whether one of the `answers` proves that somebody else holds one of our secrets. */
export function provesSecret(
  answers: readonly unknown[],
  nonce: string,
  secrets: readonly Secret[],
): boolean {
  const given = answers.filter(
    (answer): answer is string => typeof answer === 'string' && ANSWER.test(answer),
  )
  return probeAnswers(nonce, secrets).some((ours) =>
    given.some((answer) => timingSafeEqual(Buffer.from(answer), Buffer.from(ours))),
  )
}

export const PROBE_RESULTS = ['pending', 'reached', 'mismatch', 'no_answer'] as const
export type ProbeResult = (typeof PROBE_RESULTS)[number]

/** How a probe went; `detail` is a sentence on what was found instead, null when all is well. */
export type Probed = {
  readonly result: Exclude<ProbeResult, 'pending'>
  readonly detail: string | null
}
