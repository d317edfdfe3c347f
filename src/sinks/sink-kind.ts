// What a kind of sink tells of itself; each stands in the file of that kind.
import type { Sink } from '../ports/sink.ts'

/** What the sink needs of standard output. */
export interface Output {
  /** `done` is called once the system has all of the text, or with what went wrong. */
  write(text: string, done: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export type SinkSetting = { readonly name: string; readonly url: string }

export type SinkDeps = {
  readonly stdout: Output
  readonly webhookSecrets: readonly string[]
  /** Epoch ms. */
  readonly now: () => number
}

export type SinkKind = {
  /** Whether deliveries are signed with `SNAPHOOK_WEBHOOK_SECRET`. */
  readonly isSigned?: boolean
  /** What others can read on the way to a URL without a problem, in words; undefined: nothing. */
  readonly readable?: (url: string) => string | undefined
  /** What is wrong with a URL, which may hold a secret and is not repeated; undefined: nothing. */
  readonly problem: (url: string) => string | undefined
  /** For a URL without a problem. */
  readonly create: (setting: SinkSetting, deps: SinkDeps) => Sink
}
