// Faults that can be put on the API, per operation: a list that is worked off in order. Each is
// taken `times` times and then gone, or stays for ever when `times` is absent.
import { type Checked, invalid, isObject, valid } from '../checked.ts'
import { OPERATION_NAMES } from './operations/operation-names.ts'

/** Faults that are answers with an error code of the provider. */
export const FAULT_CODES = {
  throttling: 'Throttling.User',
  internal_error: 'InternalError',
  service_unavailable: 'ServiceUnavailable',
  forbidden: 'Forbidden.RAM',
  signature_mismatch: 'SignatureDoesNotMatch',
  unknown_domain: 'InvalidDomain.NotFound',
  clock_refused: 'InvalidTimeStamp.Expired',
} as const

/** What each fault does; the values are for people. */
export const FAULT_KINDS = {
  timeout: 'the call is never answered',
  latency: 'the call is answered late, by `ms`',
  drop: 'the connection is destroyed and nothing is applied',
  applied_then_drop: 'the call takes effect, then the connection is destroyed',
  html_502: 'a gateway page instead of JSON',
  empty_503: 'status 503 without a body',
  empty_object: 'status 200 with {}',
  ...FAULT_CODES,
} as const

export type FaultKind = keyof typeof FAULT_KINDS

/** A fault as the control API takes it; `fault` is a kind, or an error code of the provider. */
export type Fault = { operation: string; fault: string; times?: number; ms?: number }

/** What the faults of a call come to: how late it is, and what happens to it instead. */
export type Disturbance = { delayMs: number; fault?: string }

const ANY_OPERATION = '*'
/** An error code is spelled with an upper-case letter first; no fault kind is. */
const ERROR_CODE = /^[A-Z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*$/
const DEFAULT_LATENCY_MS = 1000
/** A timer's largest delay would overflow; nobody waits longer than this for an answer. */
const MAX_LATENCY_MS = 600_000

export type Faults = ReturnType<typeof createFaults>

/** The list of faults in force. */
export function createFaults() {
  let list: Fault[] = []

  function use(fault: Fault): void {
    if (fault.times === undefined) return
    fault.times -= 1
    if (fault.times === 0) list = list.filter((other) => other !== fault)
  }

  return {
    list: (): Fault[] => list.map((fault) => ({ ...fault })),
    replace(faults: readonly Fault[]): void {
      list = faults.map((fault) => ({ ...fault }))
    },
    /** Takes what is due for one call: every latency, and the first of the other faults. */
    take(operation: string): Disturbance {
      const due = list.filter((one) => [ANY_OPERATION, operation].includes(one.operation))
      const latencies = due.filter((one) => one.fault === 'latency')
      const other = due.find((one) => one.fault !== 'latency')
      for (const fault of latencies) use(fault)
      if (other) use(other)
      const delayMs = latencies.reduce((sum, one) => sum + (one.ms ?? DEFAULT_LATENCY_MS), 0)
      return { delayMs, ...(other && { fault: other.fault }) }
    },
  }
}

/** Checks a list of faults as it came from outside; the problem names what is allowed. */
export function readFaults(input: unknown): Checked<Fault[]> {
  if (!Array.isArray(input)) return invalid('faults must be an array of {operation, fault, times}')
  for (const fault of input) {
    const problem = problemOf(fault)
    if (problem) return invalid(problem)
  }
  return valid(input as Fault[])
}

function problemOf(fault: unknown): string | undefined {
  if (!isObject(fault)) return 'a fault must be an object of {operation, fault, times}'
  const unknown = Object.keys(fault).find((key) => !FAULT_FIELDS.has(key))
  if (unknown) return `unknown field "${unknown}"; a fault has ${[...FAULT_FIELDS].join(', ')}`
  if (!OPERATIONS.has(fault.operation)) {
    return `unknown operation ${JSON.stringify(fault.operation)}; it is one of ${[...OPERATIONS].join(', ')}`
  }
  if (!isFault(fault.fault)) {
    const kinds = Object.keys(FAULT_KINDS).join(', ')
    return `unknown fault ${JSON.stringify(fault.fault)}; it is one of ${kinds}, or an error code of the provider such as Throttling.User`
  }
  if (fault.times !== undefined && !isWhole(fault.times, 1, Number.MAX_SAFE_INTEGER)) {
    return 'times must be a whole number of 1 or more; leave it out for ever'
  }
  if (fault.ms !== undefined && !isWhole(fault.ms, 0, MAX_LATENCY_MS)) {
    return `ms must be a whole number from 0 to ${MAX_LATENCY_MS}`
  }
  return undefined
}

const FAULT_FIELDS = new Set(['operation', 'fault', 'times', 'ms'])
const OPERATIONS = new Set<unknown>([ANY_OPERATION, ...OPERATION_NAMES])

function isFault(fault: unknown): boolean {
  if (typeof fault !== 'string') return false
  return Object.hasOwn(FAULT_KINDS, fault) || ERROR_CODE.test(fault)
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}
