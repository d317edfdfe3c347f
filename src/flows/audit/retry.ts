// How long a step of the audit waits after a fault.
import { backOffMs } from '../../core/back-off.ts'
import { mayPass, type ServiceError } from '../../errors.ts'

const RETRY = { firstMs: 1_000, maxMs: 60_000 }
/** Permissions are given by people. */
const DENIED_RETRY_MS = 3_600_000
/** Other faults that wait for a person. */
const STUCK_RETRY_MS = 300_000
/** The pause after the `failures`-th fault in a row. */
export function retryMs(error: ServiceError, failures: number, random: number): number {
  if (error.code === 'api_denied') return DENIED_RETRY_MS
  return mayPass(error) ? backOffMs(RETRY, failures, random) : STUCK_RETRY_MS
}
