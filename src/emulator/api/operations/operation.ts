// What an operation of the API is: the parameters that it cannot do without, and what it does
// with them. Checks common to all happen before `run`.

import type { Configurations } from '../../configurations.ts'
import type { Archive } from '../../streams/archive.ts'
import type { Switches } from '../../switches.ts'
import type { Refusal } from '../rpc-errors.ts'
import type { Params } from '../rpc-signature.ts'

/** What operations work on. */
export type Provider = {
  configurations: Configurations
  archive: Archive
  switches: () => Switches
  now: () => number
}

export type Fields = Record<string, unknown>

/** The fields of the answer, besides `RequestId`; or the refusal. */
export type Outcome = { fields: Fields } | Refusal

export type Operation = {
  required: readonly string[]
  run(params: Params & { DomainName: string }, provider: Provider): Outcome
}

/** The answer of an operation that has nothing to say. */
export const DONE: Outcome = { fields: {} }
