// Asks for a probe over HTTP: whether a snaphook with our secret is behind a public URL.
import type { Secret } from '../../core/keys/notify-key.ts'
import { type Probed, provesSecret } from '../../core/probe.ts'

/** The provider waits as long for the answer to a callback (docs/provider.md#delivery). */
const TIMEOUT_MS = 5_000
/** Far above an answer of ours: whatever else stands there is not read to its end. */
const MAX_ANSWER_BYTES = 4_096

/** Sends one probe to `publicUrl`, following no redirect: the provider may not either. */
export async function sendProbe(
  publicUrl: string,
  nonce: string,
  secrets: readonly Secret[],
  signal: AbortSignal,
): Promise<Probed> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const url = `${publicUrl.replace(/\/+$/, '')}/probe/${nonce}`
  try {
    const response = await fetch(url, { redirect: 'manual', signal: inTime })
    const text = await readStart(response)
    if (response.status !== 200) return noAnswer(`answered ${response.status}`)
    if (provesSecret(answersIn(text), nonce, secrets)) return { result: 'reached', detail: null }
    return { result: 'mismatch', detail: 'answered by something else, or with another secret' }
  } catch (error) {
    return noAnswer(inTime.aborted ? 'no answer in time' : reasonOf(error))
  }
}

function noAnswer(detail: string): Probed {
  return { result: 'no_answer', detail }
}

async function readStart({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size >= MAX_ANSWER_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

function answersIn(text: string): readonly unknown[] {
  try {
    const { answers } = JSON.parse(text) ?? {}
    return Array.isArray(answers) ? answers : []
  } catch {
    return []
  }
}

/** What fetch hides behind "fetch failed": the code of the network's or of TLS. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined
  return `could not be reached (${typeof cause?.code === 'string' ? cause.code : 'connection failed'})`
}
