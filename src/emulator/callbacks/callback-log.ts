// What became of the callbacks: the most recent attempts in full, and totals of all of them.

import { createRecent } from '../recent.ts'
import type { StreamName } from '../streams/archive.ts'
import type { PostResult } from './post.ts'

/** What is to be sent; without a key it goes unsigned. */
export type Callback = StreamName & {
  url: string
  key: string | undefined
  object: string
  body: string
}

/** One attempt. `answer` is the status, `timeout`, or the error's code. */
export type CallbackRecord = {
  at: string
  domain: string
  app: string
  stream: string
  object: string
  url: string
  attempt: number
  signed: boolean
  key: string | null
  timestamp: string | null
  signature: string | null
  body: string
  answer: number | string
  answerBody: string
  tookMs: number
}

export type Attempt = {
  callback: Callback
  attempt: number
  at: number
  tookMs: number
  headers: Record<string, string>
  result: Exclude<PostResult, { kind: 'stopped' }>
}

const MAX_RECENT = 500

export type CallbackLog = ReturnType<typeof createCallbackLog>

/** An empty log. */
export function createCallbackLog() {
  const recent = createRecent<CallbackRecord>(MAX_RECENT)
  const byAnswer: Record<string, number> = {}
  let attempts = 0
  return {
    add(attempt: Attempt): void {
      const record = recordOf(attempt)
      const kind = attempt.result.kind === 'failure' ? 'error' : String(record.answer)
      attempts += 1
      byAnswer[kind] = (byAnswer[kind] ?? 0) + 1
      recent.add(record)
    },
    snapshot: () => ({ attempts, byAnswer: { ...byAnswer }, recent: recent.all() }),
  }
}

function recordOf({ callback, attempt, at, tookMs, headers, result }: Attempt): CallbackRecord {
  const { key, ...rest } = callback
  return {
    at: new Date(at).toISOString(),
    ...rest,
    attempt,
    signed: key !== undefined,
    key: key ?? null,
    timestamp: headers['ALI-LIVE-TIMESTAMP'] ?? null,
    signature: headers['ALI-LIVE-SIGNATURE'] ?? null,
    answer: answerOf(result),
    answerBody: result.kind === 'answer' ? result.body : '',
    tookMs,
  }
}

function answerOf(result: Attempt['result']): number | string {
  switch (result.kind) {
    case 'answer':
      return result.status
    case 'timeout':
      return 'timeout'
    case 'failure':
      return result.error
  }
}
