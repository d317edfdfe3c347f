// What an operation of the API is: the parameters that it cannot do without, and what it does
// with them. Checks common to all happen before `run`.

import type { Configurations } from '../../configurations.ts'
import type { Archive } from '../../streams/archive.ts'
import type { PushHistory } from '../../streams/push-history.ts'
import type { Switches } from '../../switches.ts'
import type { Refusal } from '../rpc-errors.ts'
import type { Params } from '../rpc-signature.ts'
import type { Rule } from './parameter-rules.ts'

/** What operations work on. */
export type Provider = {
  configurations: Configurations
  archive: Archive
  history: PushHistory
  switches: () => Switches
  now: () => number
}

export type Fields = Record<string, unknown>

/** The fields of the answer, besides `RequestId`; or the refusal. */
export type Outcome = { fields: Fields } | Refusal

export type Operation = {
  required: readonly string[]
  /** What is asked of parameters here, and not of those of the same name elsewhere. */
  rules?: Readonly<Record<string, Rule>>
  run(params: Params & { DomainName: string }, provider: Provider): Outcome
}

/** The answer of an operation that has nothing to say. */
export const DONE: Outcome = { fields: {} }
